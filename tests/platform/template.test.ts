import fc from "fast-check";
import type { Table } from "mdast";
import { describe, expect, it } from "vitest";
import { parseMarkdown } from "../../src/platform/markdown.ts";
import { render } from "../../src/platform/template.ts";
import {
  asCount,
  asMinutes,
  asUsd,
  code,
  codeCell,
  line,
  link,
  prose,
  section,
  wrap,
} from "../../src/platform/template-text.ts";

interface Node {
  type: string;
  value?: string;
  children?: Node[];
}
const words = (node: Node): string => node.value ?? (node.children ?? []).map(words).join("");
const types = (node: Node): string[] => [node.type, ...(node.children ?? []).flatMap(types)];
const tableWith = (cell: string): Node => parseMarkdown(`| A | B |\n| --- | --- |\n| ${cell} | last |\n`) as Node;

const hostile = fc.array(
  fc.constantFrom(
    "|",
    "\\",
    "`",
    "``",
    "*",
    "_",
    "[x](http://e)",
    "<b>",
    "#",
    "-",
    "1.",
    "\n",
    "\n\n",
    " ",
    "&amp;",
    "~",
    "a",
    "é",
  ),
  { maxLength: 12 },
);

describe("render", () => {
  const values = {
    ticket: { key: "SHOP-1", url: "https://jira.example/browse/SHOP-1" },
    title: "Add a",
    summary: "b",
    runId: "r",
  };

  it("fills a template without touching Markdown or HTML characters", () => {
    expect(render("gitlab/commit-message.txt", { ...values, title: 'Use <b> & "c"' })).toBe(
      'SHOP-1: Use <b> & "c"\n\nb\n\nTicket: https://jira.example/browse/SHOP-1\nTicketsmith-Run: r\n',
    );
  });

  it("names what is missing, even in a branch not taken", () => {
    const { summary: _summary, ...others } = values;
    expect(() => render("gitlab/commit-message.txt", others)).toThrow(
      "templates/gitlab/commit-message.txt needs summary",
    );
    expect(() => render("gitlab/commit-message.txt", { ...values, summary: undefined })).toThrow("needs summary");
  });

  it("names what is never used", () => {
    expect(() => render("gitlab/commit-message.txt", { ...values, mood: "good" })).toThrow("never uses mood");
    expect(() => render("gitlab/commit-message.txt", { ...values, line: "x" })).toThrow("never uses line");
  });

  it("does not print undefined, null or objects", () => {
    expect(() => render("gitlab/commit-message.txt", { ...values, ticket: { url: "u" } })).toThrow(
      "templates/gitlab/commit-message.txt: a template may print text and numbers only, not undefined",
    );
  });
});

describe("text in Markdown", () => {
  it("stays the same text in a paragraph and in a table cell", () => {
    fc.assert(
      fc.property(hostile, (parts) => {
        const text = parts.join("").replace(/\s+/g, " ").trim();
        const paragraph = parseMarkdown(`before ${line(parts.join(""))} after`) as Node;
        expect(words(paragraph)).toBe(`before ${text} after`);
        const table = tableWith(line(parts.join(""))).children?.[0] as unknown as Table;
        expect(table.children[1]?.children.length).toBe(2);
        expect(words(table.children[1]?.children[0] as Node)).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it("stays the same code in a paragraph and in a table cell", () => {
    fc.assert(
      fc.property(hostile, (parts) => {
        const text = parts.join("").replace(/\s+/g, " ").trim();
        expect(words(parseMarkdown(`before ${code(parts.join(""))} after`) as Node)).toBe(`before ${text} after`);
        const table = tableWith(codeCell(parts.join(""))).children?.[0] as unknown as Table;
        expect(table.children[1]?.children.length).toBe(2);
        expect(words(table.children[1]?.children[0] as Node)).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it("links only to http addresses", () => {
    const table = tableWith(link("a|b]", "https://x.example/(1)?a|b")).children?.[0] as unknown as Table;
    const cell = table.children[1]?.children[0];
    expect(cell?.children).toMatchObject([
      { type: "link", url: "https://x.example/(1)?a|b", children: [{ type: "text", value: "a|b]" }] },
    ]);
    expect(link("click", "javascript:alert(1)")).toBe("click");
    expect(link("click", "https://x.example/ a")).toBe("click");
  });

  it("takes headings, tables and HTML from prose", () => {
    const tree = parseMarkdown(
      prose(
        "# Tests: passed\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n<img src=x>\n\n- one <b>two</b>\n- `three`\n\n---\n\n```\nopen",
      ),
    ) as Node;
    const found = new Set(types(tree));
    for (const type of ["heading", "table", "html", "thematicBreak"]) expect(found).not.toContain(type);
    expect(found).toContain("list");
    expect(words(tree)).toContain("Tests: passed");
    expect(words(tree)).toContain("<img src=x>");
  });

  it("keeps sections under their heading", () => {
    expect(section("# One\n\n###### Six\n\n| a |\n| --- |\n| 1 |\n\n[x]: http://e\n\n[x]")).toBe(
      "### One\n\n###### Six\n\n| a |\n| - |\n| 1 |\n\n\\[x]",
    );
    expect(section("> <i>a</i>\n>\n> <div>b</div>")).not.toMatch(/(?<!\\)</);
  });

  it("wraps commit messages at words", () => {
    const text = wrap(`${"word ".repeat(30)}\n\n- ${"x".repeat(90)} tail`, 72);
    expect(text.split("\n").filter((each) => each.length > 72)).toEqual(["x".repeat(90)]);
    expect(text).toContain("\n\n-");
  });

  it("prints amounts for people", () => {
    expect([0, 0.001, 0.126].map(asUsd)).toEqual(["$0.00", "less than $0.01", "$0.13"]);
    expect([0.4, 1, 12.4, 95].map(asMinutes)).toEqual(["less than a minute", "1 minute", "12 minutes", "1.6 hours"]);
    expect([950, 12_345, 999_700].map(asCount)).toEqual(["950", "12k", "1.0M"]);
  });
});
