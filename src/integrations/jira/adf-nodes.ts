/** Atlassian Document Format, as far as we read and write it. https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/ */

export interface AdfMark {
  readonly type: string;
  readonly attrs?: Readonly<Record<string, unknown>>;
}

export interface AdfNode {
  readonly type: string;
  readonly attrs?: Readonly<Record<string, unknown>>;
  readonly content?: readonly AdfNode[];
  readonly marks?: readonly AdfMark[];
  readonly text?: string;
}

export interface AdfDoc {
  readonly type: "doc";
  readonly version: 1;
  readonly content: readonly AdfNode[];
}

/** A text node. ADF forbids empty ones, so the caller makes sure that there is text. */
export function adfText(text: string, marks: readonly AdfMark[] = []): AdfNode {
  return marks.length === 0 ? { type: "text", text } : { type: "text", text, marks };
}

/** A paragraph; without content it is the empty line that ADF allows. */
export function adfParagraph(content: readonly AdfNode[]): AdfNode {
  return { type: "paragraph", content };
}

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Any JSON as nodes: what is not shaped like one is left out, at every depth. */
export function readNodes(content: unknown): AdfNode[] {
  if (!Array.isArray(content)) return [];
  return content.flatMap((value: unknown): AdfNode[] => {
    if (!isObject(value) || typeof value.type !== "string") return [];
    const marks = Array.isArray(value.marks) ? value.marks : [];
    return [
      {
        type: value.type,
        ...(isObject(value.attrs) ? { attrs: value.attrs } : {}),
        ...(typeof value.text === "string" ? { text: value.text } : {}),
        ...(value.content === undefined ? {} : { content: readNodes(value.content) }),
        ...(marks.length === 0 ? {} : { marks: marks.flatMap(readMark) }),
      },
    ];
  });
}

function readMark(value: unknown): AdfMark[] {
  if (!isObject(value) || typeof value.type !== "string") return [];
  return [{ type: value.type, ...(isObject(value.attrs) ? { attrs: value.attrs } : {}) }];
}

function markKey(mark: AdfMark): string {
  const href = mark.attrs?.href;
  return typeof href === "string" ? `${mark.type} ${href}` : mark.type;
}

/** Marks are a set, and neighbours with the same marks are one text: Jira stores them joined and in its own order. */
function joinTexts(nodes: readonly AdfNode[]): AdfNode[] {
  const joined: AdfNode[] = [];
  for (const node of nodes) {
    const last = joined.at(-1);
    const marks = [...(node.marks ?? [])].sort((a, b) => (markKey(a) < markKey(b) ? -1 : 1));
    const own: AdfNode = marks.length > 0 ? { ...node, marks } : node;
    if (
      last?.type === "text" &&
      own.type === "text" &&
      (last.marks ?? []).map(markKey).join() === (own.marks ?? []).map(markKey).join()
    ) {
      joined[joined.length - 1] = { ...last, text: (last.text ?? "") + (own.text ?? "") };
    } else {
      joined.push(own);
    }
  }
  return joined;
}

/** Attributes that Jira adds or rewrites when it stores a document; they say nothing about the content. */
const ownAttributesOfJira = new Set(["localId", "layout", "isNumberColumnEnabled", "uniqueId", "width"]);

function essence(node: AdfNode): unknown {
  const attrs = Object.entries(node.attrs ?? {})
    .filter(([name, value]) => !ownAttributesOfJira.has(name) && value !== null && value !== undefined)
    .filter(([name, value]) => !(name === "order" && value === 1))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const marks = (node.marks ?? []).map(markKey);
  return [node.type, node.text ?? "", attrs, marks, joinTexts(node.content ?? []).map(essence)];
}

/**
 * True when two documents (any JSON) show the same, whatever Jira did to one of them while storing it (ids, default attributes,
 * order of marks, split texts). A wrong `false` only costs one needless edit.
 */
export function sameAdf(a: unknown, b: unknown): boolean {
  const [first, second] = [a, b].map((doc) => JSON.stringify(readNodes([doc]).map(essence)));
  return first === second;
}
