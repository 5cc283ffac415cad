import fc from "fast-check";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import { storageToMarkdown } from "../../../src/integrations/confluence/read-storage.ts";
import { bodyToStorage } from "../../../src/integrations/confluence/storage.ts";
import { parseMarkdown } from "../../../src/platform/markdown.ts";
import { storageProblem } from "../../../src/stand-ins/confluence/storage-format.ts";

const write = (markdown: string): string => bodyToStorage(parseMarkdown(markdown));

describe("writing", () => {
  it.each([
    ["a & b < c > d", "<p>a &amp; b &lt; c &gt; d</p>"],
    ["# One", "<h1>One</h1>"],
    ["_a_ **b** ~~c~~ `d<`", "<p><em>a</em> <strong>b</strong> <del>c</del> <code>d&lt;</code></p>"],
    ["a\\\nb", "<p>a<br/>b</p>"],
    ["> a", "<blockquote><p>a</p></blockquote>"],
    ["---", "<hr/>"],
    ["- a\n- b\n  - c", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>"],
    ["3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'],
    ["- a\n\n  b", "<ul><li><p>a</p><p>b</p></li></ul>"],
    ["- [x] a\n- b", "<ul><li>☑ a</li><li>b</li></ul>"],
    [
      "| a | b |\n| - | - |\n| 1 | 2 |",
      "<table><tbody><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></tbody></table>",
    ],
    ['[a](https://x.example/?a=1&b="2")', '<p><a href="https://x.example/?a=1&amp;b=&quot;2&quot;">a</a></p>'],
    ["[a](mailto:a@b.example)", '<p><a href="mailto:a@b.example">a</a></p>'],
    ["[a](javascript:alert(1))", "<p>a</p>"],
    ["[a](data:text/html,x)", "<p>a</p>"],
    ["[a](//x.example)", "<p>a</p>"],
    ["![a](https://x.example/i.png)", '<p><a href="https://x.example/i.png">a</a></p>'],
    ["<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"],
    ["a <b>c</b>", "<p>a &lt;b&gt;c&lt;/b&gt;</p>"],
  ])("%j", (markdown, storage) => {
    expect(write(markdown)).toBe(storage);
  });

  it("tasks, with ids that are unique on the page", () => {
    const storage = write("- [ ] a\n- [x] b\n\ntext\n\n- [ ] c");
    expect(storage).toContain(
      "<ac:task><ac:task-id>1</ac:task-id><ac:task-status>incomplete</ac:task-status><ac:task-body>a</ac:task-body></ac:task>",
    );
    expect([...storage.matchAll(/<ac:task-id>(\d+)/g)].map(([, id]) => id)).toEqual(["1", "2", "3"]);
  });

  it("code, whatever is in it", () => {
    expect(write("```ts\na ]]> b && c\n```")).toBe(
      '<ac:structured-macro ac:name="code"><ac:parameter ac:name="language">typescript</ac:parameter>' +
        "<ac:plain-text-body><![CDATA[a ]]]]><![CDATA[> b && c]]></ac:plain-text-body></ac:structured-macro>",
    );
    expect(write('```"><x>\na\n```')).not.toContain("language");
  });
});

const allowed = new Set(
  (
    "p h1 h2 h3 h4 h5 h6 blockquote ul ol li table tbody tr th td hr br code em strong del a ac:structured-macro ac:parameter " +
    "ac:plain-text-body ac:task-list ac:task ac:task-id ac:task-status ac:task-body"
  ).split(" "),
);

describe("any Markdown", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '<ac:structured-macro ac:name="html">',
      "<script>",
      "</p>",
      "<![CDATA[",
      "]]>",
      "```\n",
      "&nbsp;",
      "&",
      "&#0;",
      "<!--",
      "-->",
      "- [ ] ",
      "- ",
      "> ",
      "| a |\n|-|\n",
      "[a](javascript:x)",
      '[a](https://x.example/"onclick=)',
      "![",
      "](http://x)",
      "*",
      "_",
      "`",
      "\n",
      "\n\n",
      "# ",
      "1. ",
      "\u0001",
      "\ud800",
      "\uffff",
      "[^1]",
      "\n[^1]: x\n",
      "[x]: y\n",
    ),
    fc.string({ maxLength: 8 }),
    fc.string({ unit: "binary", maxLength: 4 }),
  );
  const markdown = fc.array(piece, { maxLength: 25 }).map((parts) => parts.join(""));
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "",
    processEntities: false,
    preserveOrder: true,
    maxNestedTags: 500,
  });

  it("becomes well-formed storage with nothing but known elements, attributes and macros", () => {
    fc.assert(
      fc.property(markdown, (text) => {
        const storage = write(text);
        expect(XMLValidator.validate(`<r>${storage}</r>`)).toBe(true);
        expect(storageProblem(storage)).toBeNull();
        const check = (nodes: Record<string, unknown>[]): void => {
          for (const node of nodes) {
            const name = Object.keys(node).find((key) => key !== ":@") ?? "";
            if (name.startsWith("#")) continue;
            expect(allowed).toContain(name);
            for (const [key, value] of Object.entries((node[":@"] ?? {}) as Record<string, string>)) {
              expect(["href", "start", "ac:name"]).toContain(key);
              if (key === "href") expect(value).toMatch(/^(?:https?:\/\/|mailto:)/i);
              if (name === "ac:structured-macro") expect(value).toBe("code");
            }
            check(node[name] as Record<string, unknown>[]);
          }
        };
        check((parser.parse(`<r>${storage}</r>`) as { r: Record<string, unknown>[] }[])[0]?.r ?? []);
        storageToMarkdown(storage);
      }),
      { numRuns: 600 },
    );
  });

  it("can be read back, however broken", () => {
    fc.assert(
      fc.property(markdown, (text) => {
        expect(typeof storageToMarkdown(text)).toBe("string");
      }),
      { numRuns: 300 },
    );
  });
});

describe("reading", () => {
  it.each([
    "# One\n\nTwo _a_ **b** ~~c~~ `d` & <",
    "- a\n- b\n  - c",
    "- [ ] a\n- [x] b",
    "1. a\n2. b",
    "> quoted",
    "```typescript\nconst a = 1 && 2;\n```",
    "| a | b |\n| - | - |\n| 1 | 2 |",
    "[a](https://x.example/?a=1&b=2)",
    "---",
  ])("gives back what was written: %j", (markdown) => {
    expect(parseMarkdown(storageToMarkdown(write(markdown)))).toEqual(
      parseMarkdown(storageToMarkdown(write(storageToMarkdown(write(markdown))))),
    );
    expect(write(storageToMarkdown(write(markdown)))).toBe(write(markdown));
  });

  it.each([
    ["<p>a&nbsp;&uuml;&hellip;&amp;lt; &#8364; &unknown;</p>", "a\u00a0ü…\\&lt; € \\&unknown;"],
    [
      '<ac:structured-macro ac:name="info"><ac:parameter ac:name="title">T</ac:parameter><ac:rich-text-body><p>x</p></ac:rich-text-body></ac:structured-macro>',
      "> **T**\n>\n> x",
    ],
    [
      '<ac:structured-macro ac:name="expand"><ac:parameter ac:name="title">T</ac:parameter><ac:rich-text-body><p>x</p></ac:rich-text-body></ac:structured-macro>',
      "**T**\n\nx",
    ],
    [
      '<p>is <ac:structured-macro ac:name="status"><ac:parameter ac:name="colour">Green</ac:parameter><ac:parameter ac:name="title">DONE</ac:parameter></ac:structured-macro></p>',
      "is DONE",
    ],
    ['<ac:structured-macro ac:name="toc"/><p>x</p>', "x"],
    [
      '<p><ac:structured-macro ac:name="anchor"><ac:parameter ac:name="">a</ac:parameter></ac:structured-macro></p><p>x</p>',
      "x",
    ],
    ['<p><ac:link><ri:page ri:content-title="Other &amp; page"/></ac:link></p>', "Other & page"],
    [
      '<p><ac:link><ri:page ri:content-title="P"/><ac:plain-text-link-body><![CDATA[words <x>]]></ac:plain-text-link-body></ac:link></p>',
      "words \\<x>",
    ],
    ["<div>bare <em>text</em><ul><li><p>in</p></li></ul>tail</div>", "bare _text_\n\n- in\n\ntail"],
    ["<p>not <b>closed", "not **closed**"],
    [
      '<ac:layout><ac:layout-section ac:type="single"><ac:layout-cell><p>in a cell</p></ac:layout-cell></ac:layout-section></ac:layout>',
      "in a cell",
    ],
    ["", ""],
  ])("%j", (storage, markdown) => {
    expect(storageToMarkdown(storage)).toBe(markdown);
  });
});
