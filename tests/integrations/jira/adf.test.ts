import fc from "fast-check";
import type { BlockContent, ListItem, PhrasingContent, Root } from "mdast";
import { describe, expect, it } from "vitest";
import { fromAdf, sameAdf, toAdf } from "../../../src/integrations/jira/adf.ts";
import { parseMarkdown } from "../../../src/platform/markdown.ts";
import { adfProblem, adfText } from "../../../src/stand-ins/jira/adf-schema.ts";

const adfOf = (markdown: string) => toAdf(parseMarkdown(markdown));
const visible = (doc: unknown): string => adfText(doc as never).replace(/\s+/g, "");

/** Pieces of Markdown that meet in every order, most of them broken somehow. */
const scraps = fc
  .array(
    fc.constantFrom(
      ...["# ", "## ", "- ", "* [ ] ", "- [x] ", "> ", "1. ", "7) ", "```ts\n", "```", "`", "``", "**", "_", "~~", "|"],
      ...["\n---\n", "\n", "\n\n", "    ", "  ", "<b>", "<br>", "<!-- x -->", "<div>\nx\n</div>", "[a](http://x.y)"],
      ...["[b][r]", "[r]: http://x.y/r", "[j](javascript:alert(1))", "![p](http://x.y/p.png)", "[^1]", "[^1]: note"],
      ...[
        "\\",
        "\\\n",
        "&amp;",
        "word",
        "two words",
        "a_b",
        "@all",
        "https://x.y/z",
        "|a|b|\n|-|-|\n|c|d|\n",
        " ",
        "\t",
        "ü🙂",
      ],
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(""));

/** Trees of everything that both sides can say. */
const word = fc.constantFrom(
  "alpha",
  "beta",
  "x < y",
  "a*b",
  "C:\\tmp",
  "#1",
  "1. not a list",
  "ends.",
  "[ ] box",
  "ü🙂",
);
const text = word.map((value): PhrasingContent => ({ type: "text", value }));
const spaced = (parts: PhrasingContent[]): PhrasingContent[] =>
  parts.flatMap((part, index) => (index === 0 ? [part] : [{ type: "text" as const, value: " " }, part]));
const phrase = fc.oneof(
  text,
  word.map((value): PhrasingContent => ({ type: "strong", children: [{ type: "text", value }] })),
  word.map((value): PhrasingContent => ({ type: "emphasis", children: [{ type: "text", value }] })),
  word.map((value): PhrasingContent => ({ type: "delete", children: [{ type: "text", value }] })),
  fc.constantFrom("code", "a `tick`", "x | y").map((value): PhrasingContent => ({ type: "inlineCode", value })),
  word.map(
    (value): PhrasingContent => ({
      type: "link",
      url: "https://shop.example/a?b=1",
      children: [{ type: "strong", children: [{ type: "text", value }] }],
    }),
  ),
);
const line = fc.array(phrase, { minLength: 1, maxLength: 4 }).map(spaced);
const paragraph = line.map((children): BlockContent => ({ type: "paragraph", children }));
const code = fc
  .record({
    lang: fc.constantFrom("ts", "diff", null),
    value: fc.constantFrom("", "const a = 1;", "~~~\n```\n", "  in\n\nout"),
  })
  .map((fields): BlockContent => ({ type: "code", ...fields }));
const { item, list, tasks } = fc.letrec<{ item: ListItem; list: BlockContent; tasks: BlockContent }>((tie) => ({
  item: fc
    .tuple(paragraph, fc.array(fc.oneof({ maxDepth: 2 }, code, paragraph, tie("list")), { maxLength: 2 }))
    .map(([first, rest]): ListItem => ({ type: "listItem", spread: true, children: [first, ...rest] })),
  list: fc
    .tuple(fc.constantFrom(null, 1, 4), fc.array(tie("item"), { minLength: 1, maxLength: 3 }))
    .map(
      ([start, children]): BlockContent => ({ type: "list", ordered: start !== null, start, spread: true, children }),
    ),
  tasks: fc
    .array(fc.tuple(line, fc.boolean(), fc.option(tie("tasks"), { maxDepth: 2 })), { minLength: 1, maxLength: 3 })
    .map(
      (rows): BlockContent => ({
        type: "list",
        ordered: false,
        spread: false,
        children: rows.map(([children, checked, nested]) => ({
          type: "listItem",
          checked,
          spread: false,
          children: [{ type: "paragraph", children }, ...(nested === null ? [] : [nested])],
        })),
      }),
    ),
}));
const block = fc.oneof(
  paragraph,
  code,
  list,
  tasks,
  item.map((one): BlockContent => ({ type: "list", ordered: false, spread: true, children: [one] })),
  fc
    .tuple(fc.constantFrom(1, 2, 6), line)
    .map(([depth, children]): BlockContent => ({ type: "heading", depth: depth as 1, children })),
  fc
    .array(fc.oneof(paragraph, code), { minLength: 1, maxLength: 3 })
    .map((children): BlockContent => ({ type: "blockquote", children })),
  fc.constant<BlockContent>({ type: "thematicBreak" }),
  fc.array(fc.tuple(line, line), { minLength: 1, maxLength: 3 }).map(
    (rows): BlockContent => ({
      type: "table",
      children: rows.map((cells) => ({
        type: "tableRow",
        children: cells.map((children) => ({ type: "tableCell", children })),
      })),
    }),
  ),
);
/** Two lists behind each other are one list in Markdown, so a rule parts the blocks. */
const document = fc
  .array(block, { maxLength: 5 })
  .map(
    (blocks): Root => ({ type: "root", children: blocks.flatMap((one) => [one, { type: "thematicBreak" as const }]) }),
  );

describe("toAdf", () => {
  it("makes a valid document of any Markdown", () => {
    fc.assert(
      fc.property(scraps, (markdown) => {
        expect(adfProblem(adfOf(markdown))).toBeNull();
      }),
      { numRuns: 1500 },
    );
  });

  it("makes the same document of the same body", () => {
    const body = parseMarkdown("- [x] one\n- [ ] two\n  - [ ] three");
    expect(toAdf(body)).toEqual(toAdf(body));
  });

  it("writes each kind of block", () => {
    const doc = adfOf(
      "# Plan\n\ntext\n\n- [x] done\n\n---\n\n3. third\n\n> quote\n\n```ts\nlet a\n```\n\n|a|\n|-|\n|b|",
    );
    expect(doc.content.map((node) => node.type)).toEqual([
      ...["heading", "paragraph", "taskList", "rule", "orderedList", "blockquote", "codeBlock", "table"],
    ]);
    expect(doc.content[4]?.attrs).toEqual({ order: 3 });
    expect(doc.content[6]).toEqual({
      type: "codeBlock",
      attrs: { language: "ts" },
      content: [{ type: "text", text: "let a" }],
    });
  });

  it("combines the code mark with links only", () => {
    expect(adfOf("**bold `code`** [`x`](https://a.b)").content[0]?.content).toEqual([
      { type: "text", text: "bold ", marks: [{ type: "strong" }] },
      { type: "text", text: "code", marks: [{ type: "code" }] },
      { type: "text", text: " " },
      { type: "text", text: "x", marks: [{ type: "code" }, { type: "link", attrs: { href: "https://a.b" } }] },
    ]);
  });

  it.each([
    ["a heading in a quote becomes bold", "> # head", { type: "text", text: "head", marks: [{ type: "strong" }] }],
    ["a quote in a quote is opened", "> > deep", { type: "text", text: "deep" }],
  ])("%s", (_name, markdown, expected) => {
    expect(adfOf(markdown).content[0]?.content?.[0]?.content).toEqual([expected]);
  });

  it("starts every list item with a paragraph, and keeps ticks of lists that are no task lists", () => {
    const [bullets] = adfOf("- [x] done\n\n  more\n-\n  - nested").content;
    expect(bullets?.type).toBe("bulletList");
    expect(adfText(bullets?.content?.[0] as never)).toBe("☑ done\nmore");
    expect(bullets?.content?.[1]?.content?.map((node) => node.type)).toEqual(["paragraph", "bulletList"]);
  });

  it("shows HTML as text, hides comments, and links to pictures", () => {
    expect(adfText(adfOf("<b>x</b> <!-- hidden --> y") as never)).toBe("<b>x</b>  y");
    expect(adfOf("<!-- only this -->").content).toEqual([]);
    expect(adfOf("![chart](https://a.b/c.png)").content[0]?.content).toEqual([
      { type: "text", text: "chart", marks: [{ type: "link", attrs: { href: "https://a.b/c.png" } }] },
    ]);
  });

  it("makes no links that Jira would refuse or that could run", () => {
    const doc = JSON.stringify(adfOf("[a](javascript:alert(1)) [b](#top) [c](file:///etc/passwd) [d](mailto:a@b.c)"));
    expect(doc.match(/"href":"[^"]*"/g)).toEqual(['"href":"mailto:a@b.c"']);
  });

  it("never turns text into a mention or another node of ADF", () => {
    const raw = '```adf:mention\n{"type":"mention","attrs":{"id":"712020:1"}}\n```\n\n@all [~accountid:712020:1]';
    expect(adfOf(raw).content.map((node) => node.type)).toEqual(["codeBlock", "paragraph"]);
  });
});

describe("fromAdf", () => {
  it("gives back every document of the common subset", () => {
    fc.assert(
      fc.property(document, (body) => {
        const doc = toAdf(body);
        const markdown = fromAdf(doc);
        const again = adfOf(markdown);
        if (!sameAdf(doc, again)) expect({ markdown, doc: again }).toEqual({ markdown, doc });
      }),
      { numRuns: 500 },
    );
  });

  it("loses no visible character of any Markdown", () => {
    fc.assert(
      fc.property(scraps, (markdown) => {
        const doc = adfOf(markdown);
        expect(visible(adfOf(fromAdf(doc)))).toBe(visible(doc));
      }),
      { numRuns: 800 },
    );
  });

  it("reads what only Jira's editor can write", () => {
    const text = (value: string) => ({ type: "text", text: value });
    const doc = {
      type: "doc",
      version: 1,
      content: [
        {
          type: "paragraph",
          content: [
            { type: "mention", attrs: { id: "712020:1", text: "@Ada Park" } },
            text(" set "),
            { type: "status", attrs: { text: "AT RISK", color: "red" } },
            text(" on "),
            { type: "date", attrs: { timestamp: "1767225600000" } },
            text(" see "),
            { type: "inlineCard", attrs: { url: "https://shop.example/spec" } },
            { type: "emoji", attrs: { shortName: ":smile:", text: "🙂" } },
          ],
        },
        { type: "panel", attrs: { panelType: "info" }, content: [{ type: "paragraph", content: [text("note")] }] },
        { type: "expand", attrs: { title: "More" }, content: [{ type: "paragraph", content: [text("inside")] }] },
        { type: "mediaSingle", content: [{ type: "media", attrs: { id: "1", type: "file", collection: "" } }] },
        { type: "decisionList", content: [{ type: "decisionItem", content: [text("we do it")] }] },
        { type: "extension", attrs: { extensionKey: "chart" } },
      ],
    };
    expect(fromAdf(doc)).toBe(
      [
        "@Ada Park set **AT RISK** on 2026-01-01 see <https://shop.example/spec>🙂",
        "> note",
        "**More**",
        "inside",
        "[attachment]",
        "- we do it",
        '```adf:extension\n{\n  "type": "extension",\n  "attrs": {\n    "extensionKey": "chart"\n  }\n}\n```',
      ].join("\n\n"),
    );
  });

  it("keeps several blocks of a table cell apart", () => {
    const p = (value: string) => ({ type: "paragraph", content: [{ type: "text", text: value }] });
    const cell = (...content: unknown[]) => ({ type: "tableCell", content });
    const list = { type: "bulletList", content: [{ type: "listItem", content: [p("b")] }] };
    const doc = {
      type: "doc",
      version: 1,
      content: [{ type: "table", content: [{ type: "tableRow", content: [cell(p("a"), list), cell(p("c"))] }] }],
    };
    expect(fromAdf(doc).split("\n")[0]).toBe("| a<br>• b | c |");
  });

  it.each([[null], [undefined], [42], [{}], [{ content: "no" }], [{ type: "doc", content: [null, 7, { type: 3 }] }]])(
    "reads %j as nothing",
    (value) => {
      expect(fromAdf(value)).toBe("");
    },
  );

  it("survives documents that break every rule", () => {
    const types = [
      "doc",
      "text",
      "paragraph",
      "heading",
      "taskList",
      "taskItem",
      "table",
      "tableRow",
      "tableCell",
      "mention",
    ];
    const { node } = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.record(
          {
            type: fc.constantFrom(
              ...types,
              "date",
              "emoji",
              "codeBlock",
              "orderedList",
              "listItem",
              "expand",
              "odd",
              7,
            ),
            text: fc.jsonValue({ maxDepth: 0 }),
            attrs: fc.oneof(
              fc.jsonValue({ maxDepth: 1 }),
              fc.record({ level: fc.jsonValue(), timestamp: fc.double() }),
            ),
            marks: fc.oneof(
              fc.jsonValue({ maxDepth: 1 }),
              fc.array(fc.record({ type: fc.constantFrom("link", "strong", "code") })),
            ),
            content: fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.array(tie("node"), { maxLength: 3 })),
          },
          { requiredKeys: [] },
        ),
      ),
    }));
    fc.assert(
      fc.property(fc.array(node), (content) => {
        expect(typeof fromAdf({ type: "doc", version: 1, content })).toBe("string");
      }),
      { numRuns: 500 },
    );
  });
});

describe("sameAdf", () => {
  it("overlooks what Jira changes while storing", () => {
    const ours = adfOf("- [ ] **a** b\n");
    const stored = JSON.parse(
      JSON.stringify(ours)
        .replaceAll(/"task-\d+"/g, '"9f3c"')
        .replace('" b"', '" "},{"type":"text","text":"b"'),
    );
    expect(sameAdf(ours, stored)).toBe(true);
  });

  it.each([
    ["- [ ] a", "- [x] a"],
    ["a", "**a**"],
    ["[a](https://x.y)", "[a](https://x.z)"],
    ["# a", "## a"],
    ["1. a", "2. a"],
  ])("tells %s from %s", (a, b) => {
    expect(sameAdf(adfOf(a), adfOf(b))).toBe(false);
  });
});
