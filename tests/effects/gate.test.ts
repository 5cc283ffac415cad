import fc from "fast-check";
import type { Nodes } from "mdast";
import { describe, expect, it } from "vitest";
import { type GateRules, passGate, passLine } from "../../src/effects/gate.ts";
import { hasQuickAction } from "../../src/effects/quick-actions.ts";
import { stripHidden } from "../../src/platform/hidden-text.ts";
import { parseMarkdown, printMarkdown } from "../../src/platform/markdown.ts";
import { registerSecret } from "../../src/platform/redact.ts";

const secret = "correct*horse*battery";
registerSecret(secret);

const rules: GateRules = {
  allowedHosts: ["gitlab.example.com", "jira.example.com:8443"],
  mentions: ["alice"],
  maxLength: 20_000,
  target: "gitlab",
};

function gated(markdown: string, changes: Partial<GateRules> = {}): string {
  return printMarkdown(passGate(markdown, { ...rules, ...changes }).body);
}

function nodes(node: Nodes): Nodes[] {
  return [node, ...("children" in node ? node.children.flatMap(nodes) : [])];
}

function addresses(markdown: string): string[] {
  return nodes(parseMarkdown(markdown)).flatMap((node) => ("url" in node ? [node.url] : []));
}

describe("ordinary text", () => {
  it("passes unchanged", () => {
    const text = [
      "# Done\n",
      "The cart adds up **now**, see [the pipeline](https://gitlab.example.com/a/b/-/pipelines/7) and `src/cart.ts`.\n",
      "- [ ] open\n- [x] closed\n",
      "1. one\n2. two\n",
      "> quoted\n",
      "| a | b |\n| - | - |\n| 1 | 2 |\n",
      "```ts\nconst x = 1;\n```\n",
    ].join("\n");
    expect(passGate(text, rules).findings).toEqual([]);
    expect(gated(text)).toBe(text);
  });
});

describe("quick actions", () => {
  it.each([
    ["at the start", "/merge"],
    ["with arguments", "/label ~bug\ntext"],
    ["after a soft break", "fine\n/approve"],
    ["after a hard break", "fine  \n/approve"],
    ["after CR", "fine\r/approve\rmore"],
    ["after CRLF", "fine\r\n/close\r\n"],
    ["after a line separator", "fine\u2028/close"],
    ["after an encoded line separator", "fine&#x2028;/close"],
    ["after an encoded line feed", "fine&#10;/close"],
    ["with an encoded slash", "&#47;merge"],
    ["with an escaped slash", "\\/merge"],
    ["indented", "  /merge"],
    ["behind a hidden character", "\u200b/merge"],
    ["behind a comment", "<!-- x -->/merge"],
    ["behind a comment block", "<!-- x\n-->\n/merge"],
    ["in emphasis over lines", "_fine\n/merge now_"],
    ["in a list item", "- /merge"],
    ["in a quote", "> /merge"],
    ["in a lazy quote", "> a\n/merge"],
    ["in a setext heading", "title\n/merge\n==="],
    ["in a link's title", '[a](https://gitlab.example.com/x "t\n/merge now")'],
    ["in a link's text", "[a\n/merge b](https://gitlab.example.com/x)"],
    ["in an image's text", "![a\n/merge b](https://gitlab.example.com/x.png)"],
    ["in a definition", "[a]: https://gitlab.example.com 't\n/merge now'\n\n[a]"],
    ["in a tilde fence", "~~~\n/merge\n~~~"],
    ["in a fence within a fence", "````\n```\n/merge\n```\n````"],
    ["in a fence that looks like HTML to GitLab", "<https://gitlab.example.com/x>\n\n```\n</x>\n/merge\n```"],
    ["in an indented code block", "text\n\n    /merge\n"],
    ["in an HTML block", "<details>\n\n/merge\n\n</details>"],
    ["in capitals", "/MERGE"],
    ["after a removed image", "![](https://evil.example/x.png)\n/merge"],
    ["in a footnote", "a[^1]\n\n[^1]: b\n    /merge"],
  ])("%s are neutralised", (_name, markdown) => {
    const text = gated(markdown);
    expect(hasQuickAction(text)).toBe(false);
    expect(text).not.toMatch(/^\/(?:merge|approve|close|label)\b/im);
    expect(gated(text)).toBe(text);
  });

  it("are shown to people as code", () => {
    expect(gated("Please\n/merge now")).toBe("Please\n`/merge` now\n");
    expect(passGate("/merge", rules).findings).toEqual(["a quick action was neutralised"]);
  });

  it("leave other code and paths alone", () => {
    const code = "```sh\n/usr/bin/env node\ncd /merge\n```\n";
    expect(gated(code)).toBe(code);
    expect(gated("see src/merge and a /merge in a line")).toBe("see src/merge and a /merge in a line\n");
  });

  it("only matter to GitLab", () => {
    expect(gated("/merge", { target: "jira" })).toBe("/merge\n");
  });
});

describe("the oracle sees what GitLab sees", () => {
  it.each([
    ["/merge", true],
    ["text\n/Close\nmore", true],
    ["text\n/label ~a ~b", true],
    ["/unknown word", false],
    ["/mergers", false],
    [" /merge", false],
    ["a /merge", false],
    ["```\n/merge\n```", false],
    ["`\n/merge\n`", false],
    ["<div>\n/merge\n</div>", false],
    [">>>\n/merge\n>>>", false],
    ["~~~\n/merge\n~~~", true],
    ["fine\r\n/merge\r\n", true],
  ])("%j: %s", (text, expected) => {
    expect(hasQuickAction(text)).toBe(expected);
  });
});

describe("links and images", () => {
  it.each([
    "[a](https://evil.example/x)",
    "![a](https://evil.example/x.png)",
    "https://evil.example/x",
    "<https://evil.example/x>",
    "www.evil.example",
    "www\\.evil.example",
    "https\\://evil.example",
    "https:<!-- -->//evil.example",
    "ftp\\://evil.example/x",
    "[a]\n\n[a]: https://evil.example/x",
    "![a][b]\n\n[b]: <https://evil.example/x>",
    "[a](//evil.example)",
    "[a](/relative)",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt&colon;alert(1))",
    "[a](data:text/html;base64,AAAA)",
    "[a](https://gitlab.example.com@evil.example)",
    "[a](https://gitlab.example.com%40evil.example)",
    "[a](https://evil.example\\@gitlab.example.com)",
    "[a](https://gitlab.example.com\\.evil.example/)",
    "[a](https://user:pass@gitlab.example.com/)",
    "[a](https://gitlab.example.com:8443/)",
    "[a](https://gitlab.example.com./)",
    "[a](https://sub.gitlab.example.com/)",
    "[a](https://gitlab.example.com.evil.example/)",
    "[a](https://gitlab.exаmple.com/)",
    "[a](https://xn--gitlab-xyz.example.com/)",
    "[a](https://gitlab。example.com/)",
    "[a](https:gitlab.example.com)",
    "[a](https:///gitlab.example.com)",
    "[a](mailto:eve@evil.example)",
    "eve@evil.example",
    "[![a](https://evil.example/i.png)](https://evil.example)",
    '<img src="https://evil.example/x.png">',
    "<a href='https://evil.example'>x</a>",
  ])("%s is defused", (markdown) => {
    for (const target of ["gitlab", "jira", "confluence"] as const) {
      const text = gated(markdown, { target });
      expect(addresses(text)).toEqual([]);
      expect(gated(text, { target })).toBe(text);
    }
  });

  it.each([
    "https://gitlab.example.com/a/b",
    "https://GitLab.example.com/a?b=c#d",
    "http://gitlab.example.com",
    "https://jira.example.com:8443/browse/SHOP-1",
  ])("%s stays", (address) => {
    expect(addresses(gated(`[words](${address})`))).toEqual([address]);
    expect(addresses(gated(`![words](${address})`))).toEqual([address]);
    expect(addresses(gated(address))).toEqual([address]);
  });

  it("says where a former link went", () => {
    expect(gated("See [the docs](https://evil.example/x).")).toBe("See the docs (`https://evil.example/x`).\n");
  });

  it("resolves references", () => {
    expect(gated("[a][x]\n\n[x]: https://gitlab.example.com/a 'title'")).toBe("[a](https://gitlab.example.com/a)\n");
  });
});

describe("mentions", () => {
  it.each([
    "@all",
    "@here",
    "@bob",
    "\\@all",
    "&#64;all",
    "@<!-- -->all",
    "@\u200ball",
    "(@group/sub)",
    "é@all",
    "_@all_",
  ])("%s is made plain", (markdown) => {
    const tree = parseMarkdown(gated(markdown));
    for (const node of nodes(tree)) if (node.type === "text") expect(node.value).not.toMatch(/@[\w]/);
  });
  it("of people the run knows stay", () => {
    expect(gated("Thanks @alice, @Alice.")).toBe("Thanks @alice, @Alice.\n");
    expect(gated("Thanks @alice/evil")).toBe("Thanks `@alice/evil`\n");
  });
  it("in Jira's own notation are made plain", () => {
    expect(gated("Hi [~bob] and [~accountid:7:x]", { target: "jira" })).toBe("Hi `[~bob]` and `[~accountid:7:x]`\n");
  });
  it("in code are left alone", () => {
    const code = "`@all`\n\n```\n@all\n```\n";
    expect(gated(code)).toBe(code);
  });
});

describe("references with side effects", () => {
  it.each([
    "Closes #12",
    "fixes: group/app#3",
    "Resolve SHOP-1",
    "implements https://gitlab.example.com/a/-/issues/1",
    "`Closes #12`",
    "```\ncloses issues #1\n```",
  ])("%s closes nothing", (markdown) => {
    expect(gated(markdown)).not.toMatch(
      /(?:closes|fixes:|resolve|implements) +(?:issues +)?(?:\S*#\d|[A-Z]+-\d|https)/i,
    );
  });
  it("keep their words", () => {
    expect(gated("Closes #12 and more")).toBe("Closes\u00a0#12 and more\n");
  });
  it("include smart commits", () => {
    expect(gated("SHOP-1 #close done")).toBe("SHOP-1 `#close` done\n");
    expect(gated("SHOP-1 #close done", { target: "confluence" })).toBe("SHOP-1 #close done\n");
  });
});

describe("what shows nothing", () => {
  it.each(["a\u200bb", "a\u202eb", "a\u{e0041}b", "a&#8203;b", "a\u00adb", "a\u2066b", "a\ufeffb", "a\u0007b"])(
    "%j is removed",
    (markdown) => {
      expect(gated(markdown)).toBe("ab\n");
      expect(gated(`\`${markdown.replace("&#8203;", "\u200b")}\``)).toBe("`ab`\n");
    },
  );
  it("includes HTML comments", () => {
    expect(gated("a<!-- b -->c\n\n<!-- ticketsmith:mr:x -->\n")).toBe("ac\n");
    expect(gated("<script>alert(1)</script>")).toBe("```\n<script>alert(1)</script>\n```\n");
    expect(gated("a<br>b <b>c</b>")).toBe("a\\\nb `<b>`c`</b>`\n");
  });
  it("includes imitations of our own markers", () => {
    expect(gated("`<!-- ticketsmith:mr:x -->`")).not.toContain("<!-- ticketsmith");
  });
});

describe("secrets", () => {
  it.each([
    ["plain", secret],
    ["in code", `\`${secret}\``],
    ["in a fence", `\`\`\`\n${secret}\n\`\`\``],
    ["in an address", `[a](https://gitlab.example.com/?q=${Buffer.from(secret).toString("hex")})`],
    ["cut by a comment", "correct\\*horse\\*bat<!-- -->tery"],
    ["cut by a hidden character", "correct\\*horse\\*bat\u200btery"],
    ["cut by formatting", "correct\\*horse\\*bat**tery**"],
    ["by its shape", "glpat-abcdefghijklmnopqrstuv"],
    ["by its shape, cut", "glpat-abcdefghij**klmnopqrstuv**"],
    ["in the alternative text of an image", "![glpat-abcdefghijklmnopqrstuv](https://gitlab.example.com/x.png)"],
  ])("%s are redacted", (_name, markdown) => {
    const { body, findings } = passGate(markdown, rules);
    const words = nodes(body)
      .map((node) => ("value" in node ? node.value : "url" in node ? node.url : ""))
      .join("");
    expect(words).not.toMatch(/battery|glpat|klmnop|636f7272/);
    expect(findings).toContain("a secret was redacted");
  });
});

describe("length", () => {
  it.each([
    ["paragraphs", "word ".repeat(20).concat("\n\n").repeat(50)],
    ["one paragraph", "word ".repeat(2000)],
    ["one word", "w".repeat(5000)],
    ["a list", "- an item\n".repeat(500)],
    ["a fence", `\`\`\`\n${"line of code\n".repeat(500)}\`\`\``],
    ["a table", `| a | b |\n| - | - |\n${"| 1 | 2 |\n".repeat(500)}`],
    ["a deep quote", `${">".repeat(50)} x\n`.repeat(100)],
  ])("of %s is capped between blocks", (_name, markdown) => {
    const text = gated(markdown, { maxLength: 1000 });
    expect(text.length).toBeLessThanOrEqual(1000);
    expect(text.length).toBeGreaterThan(10);
    expect(text).toMatch(/(?:^|\n\n)\(shortened\)\n$/);
    expect(gated(text, { maxLength: 1000 })).toBe(text);
  });
});

describe("any text", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "/merge",
      "/approve\n",
      "\n/close x\n",
      "```\n",
      "````",
      "~~~\n",
      "`",
      "``",
      ">>>\n",
      "> ",
      "- ",
      "1. ",
      "    ",
      "\t",
      "\n",
      "\n\n",
      "\r",
      "\u2028",
      "  \n",
      "\\\n",
      "[a](https://evil.example)",
      "![",
      "](",
      ")",
      "[x]: https://evil.example\n",
      "[x]",
      "<https://evil.example>",
      "https://",
      "www.",
      "evil.example",
      "https://gitlab.example.com/a",
      "<!--",
      "-->",
      "<div>\n",
      "</div>",
      "<br>",
      "|",
      "\n|-|-|\n",
      "| a | b |\n",
      "[^1]",
      "\n[^1]: ",
      "@all",
      "@alice",
      "[~bob]",
      "*",
      "**",
      "_",
      "~~",
      "\u200b",
      "\u202e",
      "&#47;",
      "&#10;",
      "&lt;",
      "&",
      "\\",
      "#",
      "# ",
      "\n===\n",
      "Closes #1",
      "SHOP-1 #close",
      "glpat-",
      "abcdefghijklmnopqrstuv",
      secret,
      "😀",
      "é",
      " ",
      "word",
    ),
    fc.string({ maxLength: 6 }),
    fc.string({ unit: "binary", maxLength: 3 }),
  );
  const mixture = fc.array(piece, { maxLength: 25 }).map((parts) => parts.join(""));

  it("comes out safe, and passing it again changes nothing", () => {
    fc.assert(
      fc.property(mixture, fc.constantFrom("gitlab", "jira", "confluence"), (markdown, target) => {
        const { body } = passGate(markdown, { ...rules, target, maxLength: 2000 });
        const text = printMarkdown(body);
        expect(text.length).toBeLessThanOrEqual(2000);
        if (target === "gitlab") expect(hasQuickAction(text)).toBe(false);
        for (const address of addresses(text)) expect(address).toMatch(/^https?:\/\/gitlab\.example\.com(?:[/?#]|$)/i);
        expect(stripHidden(text).removed).toBe(0);
        expect(text).not.toContain(secret);
        expect(text).not.toMatch(/glpat-[a-z]{16}/);
        expect(text).not.toContain("withheld");
        for (const node of nodes(body)) expect(["html", "definition", "footnoteDefinition"]).not.toContain(node.type);
        expect(gated(text, { target, maxLength: 2000 })).toBe(text);
      }),
      { numRuns: 1500 },
    );
  });
});

describe("one line", () => {
  it("is one line without anything active", () => {
    expect(passLine("Fix\n  the cart\u200b for @all, closes #12, SHOP-1 #close", 255)).toBe(
      "Fix the cart for @ all, closes\u00a0#12, SHOP-1 # close",
    );
    expect(passLine("glpat-abcdefghijklmnopqrstuv", 255)).toBe("[redacted]");
    expect(passLine("a".repeat(300), 255)).toHaveLength(255);
  });
});

describe("hostile shapes", () => {
  it.each([
    ["quotes", `${">".repeat(3000)} /merge`],
    ["lists", `${"- ".repeat(3000)}@all`],
    ["emphasis", `${"*a **b ".repeat(3000)}${"** *".repeat(3000)}`],
    ["runs of marks", `${"_".repeat(5000)}a${"_".repeat(5000)}`],
    ["brackets", `${"[".repeat(1000)}x${"](https://evil.example)".repeat(1000)}`],
    ["one word", "a".repeat(100_000)],
    ["dots", `https://${".".repeat(50_000)}a`],
  ])("such as nested %s end soon", (_name, markdown) => {
    const started = performance.now();
    const text = gated(markdown);
    expect(performance.now() - started).toBeLessThan(5000);
    expect(hasQuickAction(text.slice(0, 500))).toBe(false);
    expect(addresses(text)).toEqual([]);
    expect(text).not.toContain("withheld");
  });
});
