/**
 * What Jira Cloud accepts as rich text: the parts of the ADF schema that people and programs run into.
 * Written from https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/ and the pages of its nodes,
 * on purpose not from the code that makes our documents.
 */

export interface Adf {
  readonly type: string;
  readonly version?: number;
  readonly attrs?: Readonly<Record<string, unknown>>;
  readonly content?: readonly Adf[];
  readonly marks?: readonly { readonly type: string; readonly attrs?: Readonly<Record<string, unknown>> }[];
  readonly text?: string;
}

const inline = [
  "text",
  "hardBreak",
  "mention",
  "emoji",
  "date",
  "status",
  "inlineCard",
  "mediaInline",
  "inlineExtension",
];
const lists = ["bulletList", "orderedList"];
const media = ["mediaSingle", "mediaGroup"];
const inCell = [
  ...["paragraph", "heading", "codeBlock", "blockquote", "panel", "rule", "taskList", "decisionList"],
  ...["blockCard", "nestedExpand", "extension", ...lists, ...media],
];
const inDoc = [
  ...inCell.filter((type) => type !== "nestedExpand"),
  ...["table", "expand", "embedCard", "layoutSection", "bodiedExtension"],
];

const children: Readonly<Record<string, readonly string[]>> = {
  doc: inDoc,
  layoutSection: ["layoutColumn"],
  layoutColumn: inDoc,
  expand: inDoc,
  bodiedExtension: inDoc,
  nestedExpand: ["paragraph", "heading", "codeBlock", "blockquote", "panel", "rule", "taskList", ...lists, ...media],
  panel: ["paragraph", "heading", "codeBlock", "rule", "taskList", "decisionList", "blockCard", ...lists, ...media],
  blockquote: ["paragraph", "codeBlock", ...lists, ...media],
  bulletList: ["listItem"],
  orderedList: ["listItem"],
  listItem: ["paragraph", "codeBlock", "mediaSingle", ...lists],
  taskList: ["taskItem", "taskList"],
  decisionList: ["decisionItem"],
  table: ["tableRow"],
  tableRow: ["tableCell", "tableHeader"],
  tableCell: inCell,
  tableHeader: inCell,
  mediaSingle: ["media", "caption"],
  mediaGroup: ["media"],
  paragraph: inline,
  heading: inline,
  taskItem: inline,
  decisionItem: inline,
  caption: inline,
  codeBlock: ["text"],
};
const leaves = new Set([...inline, "rule", "media", "blockCard", "embedCard", "extension"]);
const neverEmpty = new Set(
  ["blockquote", "bulletList", "orderedList", "listItem", "taskList", "decisionList", "panel", "table"].concat([
    "tableCell",
    "tableHeader",
    "mediaSingle",
    "mediaGroup",
    "layoutColumn",
    "expand",
    "nestedExpand",
  ]),
);
const firstChild: Readonly<Record<string, readonly string[]>> = {
  listItem: ["paragraph", "codeBlock", "mediaSingle"],
  taskList: ["taskItem"],
};
const marks = new Set([
  "strong",
  "em",
  "strike",
  "code",
  "link",
  "underline",
  "subsup",
  "textColor",
  "backgroundColor",
  "annotation",
]);

function attrsProblem(node: Adf): string | null {
  const { attrs = {} } = node;
  const isText = (name: string): boolean => typeof attrs[name] === "string" && attrs[name] !== "";
  switch (node.type) {
    case "heading":
      return [1, 2, 3, 4, 5, 6].includes(attrs.level as number) ? null : "heading without a level from 1 to 6";
    case "taskList":
    case "decisionList":
      return isText("localId") ? null : `${node.type} without localId`;
    case "taskItem":
    case "decisionItem":
      return isText("localId") && isText("state") ? null : `${node.type} without localId and state`;
    case "mention":
      return isText("id") ? null : "mention without id";
    case "status":
      return isText("text") && isText("color") ? null : "status without text and color";
    case "orderedList":
      return attrs.order === undefined || (Number.isInteger(attrs.order) && Number(attrs.order) >= 0)
        ? null
        : "orderedList with a broken order";
    case "codeBlock":
      return attrs.language === undefined || typeof attrs.language === "string"
        ? null
        : "codeBlock with a broken language";
    default:
      return null;
  }
}

function marksProblem(node: Adf, parent: string): string | null {
  const types = (node.marks ?? []).map((mark) => mark.type);
  if (types.length === 0) return null;
  if (node.type !== "text") return `marks on ${node.type}`;
  if (parent === "codeBlock") return "marks inside a codeBlock";
  const stranger = types.find((type) => !marks.has(type));
  if (stranger !== undefined) return `unknown mark ${stranger}`;
  if (new Set(types).size !== types.length) return "the same mark twice";
  if (types.includes("code") && types.some((type) => !["code", "link", "annotation"].includes(type))) {
    return `mark code together with ${types.join(", ")}`;
  }
  const link = node.marks?.find((mark) => mark.type === "link");
  return link !== undefined && (typeof link.attrs?.href !== "string" || link.attrs.href === "")
    ? "link without href"
    : null;
}

function nodeProblem(node: Adf, parent: string): string | null {
  if (typeof node !== "object" || node === null || typeof node.type !== "string") return `no node inside ${parent}`;
  const isLeaf = leaves.has(node.type);
  if (!isLeaf && children[node.type] === undefined) return `unknown node ${node.type}`;
  if (node.type === "text" && (typeof node.text !== "string" || node.text === "")) return `empty text inside ${parent}`;
  const own = attrsProblem(node) ?? marksProblem(node, parent);
  if (own !== null || isLeaf) return own;
  const content = node.content ?? [];
  if (!Array.isArray(content)) return `content of ${node.type} is no list`;
  if (content.length === 0 && neverEmpty.has(node.type)) return `empty ${node.type}`;
  const first = content[0]?.type;
  if (first !== undefined && firstChild[node.type]?.includes(first) === false)
    return `${node.type} starts with ${first}`;
  for (const child of content) {
    if (!children[node.type]?.includes(child?.type)) return `${String(child?.type)} inside ${node.type}`;
    const problem = nodeProblem(child, node.type);
    if (problem !== null) return problem;
  }
  return null;
}

/** What is wrong with a document, in a few words, or null when Jira would take it. */
export function adfProblem(doc: unknown): string | null {
  if (typeof doc !== "object" || doc === null) return "not a document";
  const { type, version, content } = doc as Partial<Adf>;
  if (type !== "doc" || version !== 1 || !Array.isArray(content)) return "not a document of version 1";
  return nodeProblem(doc as Adf, "nothing");
}

/** The visible text of a document, blocks on lines of their own. */
export function adfText(node: Adf): string {
  if (node.type === "text") return node.text ?? "";
  if (node.type === "hardBreak") return "\n";
  if (node.type === "mention") return String(node.attrs?.text ?? `@${String(node.attrs?.id)}`);
  const isBlock = node.content?.some((child) => !inline.includes(child.type)) ?? false;
  return (node.content ?? []).map(adfText).join(isBlock ? "\n" : "");
}

function paragraph(lines: readonly string[]): Adf {
  const content = lines.flatMap((line, index): Adf[] => [
    ...(index > 0 ? [{ type: "hardBreak" }] : []),
    ...(line === "" ? [] : [{ type: "text", text: line }]),
  ]);
  return { type: "paragraph", content };
}

/** What Jira's editor makes of typed text: blank lines part paragraphs, lines that start with `- ` make a list. */
export function typedToAdf(text: string): Adf {
  const content = text
    .trim()
    .split(/\n[ \t]*\n/)
    .flatMap((block): Adf[] => {
      const lines = block.split("\n").map((line) => line.trimEnd());
      const listed = lines.findIndex((line) => /^\s*[-*] /.test(line));
      if (listed < 0 || !lines.slice(listed).every((line) => /^\s*[-*] /.test(line))) return [paragraph(lines)];
      const items = lines.slice(listed).map((line) => ({
        type: "listItem",
        content: [paragraph([line.replace(/^\s*[-*] /, "")])],
      }));
      return [...(listed > 0 ? [paragraph(lines.slice(0, listed))] : []), { type: "bulletList", content: items }];
    });
  return { type: "doc", version: 1, content: text.trim() === "" ? [] : content };
}
