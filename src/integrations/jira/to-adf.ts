/**
 * mdast -> ADF. Jira answers 400 to a document outside its schema, so what a container may not hold is rewritten:
 * e.g. a heading in a list item becomes a bold paragraph.
 */
import type { BlockContent, DefinitionContent, List, ListItem, Root, RootContent, Table } from "mdast";
import { bold, type Definitions, htmlToAdf, lineToAdf } from "./adf-inline.ts";
import { type AdfDoc, type AdfNode, adfParagraph, adfText } from "./adf-nodes.ts";

/** Where a block stands. Quotes and list items hold paragraphs, plain lists and code only. */
type Place = "doc" | "quote" | "item";

interface Conversion {
  readonly definitions: Definitions;
  /** Ids of tasks are counted, so the same body gives the same document. */
  nextTask(): string;
}

function collectDefinitions(root: Root): Definitions {
  const found = new Map<string, Extract<RootContent, { type: "definition" }>>();
  const visit = (node: Root | RootContent): void => {
    // The first definition of an identifier wins (CommonMark 4.7).
    if (node.type === "definition" && !found.has(node.identifier)) found.set(node.identifier, node);
    if ("children" in node) for (const child of node.children) visit(child);
  };
  visit(root);
  return found;
}

/** Task lists of ADF hold one line per task and nested task lists, nothing else. */
function fitsTaskList(list: List): boolean {
  return list.children.every((item) => {
    const [first, ...rest] = item.children;
    return (
      typeof item.checked === "boolean" &&
      first?.type === "paragraph" &&
      rest.every((child) => child.type === "list" && fitsTaskList(child))
    );
  });
}

function taskList(list: List, conversion: Conversion): AdfNode {
  const localId = conversion.nextTask();
  const content = list.children.flatMap((item): AdfNode[] => {
    const [line, ...nested] = item.children;
    const task: AdfNode = {
      type: "taskItem",
      attrs: { localId: conversion.nextTask(), state: item.checked === true ? "DONE" : "TODO" },
      content: line?.type === "paragraph" ? lineToAdf(line.children, conversion.definitions) : [],
    };
    return [task, ...nested.flatMap((child) => (child.type === "list" ? [taskList(child, conversion)] : []))];
  });
  return { type: "taskList", attrs: { localId }, content };
}

function listItem(item: ListItem, conversion: Conversion): AdfNode {
  const content = blocks(item.children, "item", conversion);
  const first = content[0];
  const opened = first?.type === "paragraph" || first?.type === "codeBlock" ? content : [adfParagraph([]), ...content];
  if (typeof item.checked !== "boolean") return { type: "listItem", content: opened };
  const box = adfText(item.checked ? "☑ " : "☐ ");
  const [head, ...rest] = opened;
  if (head?.type !== "paragraph") return { type: "listItem", content: [adfParagraph([box]), ...opened] };
  return { type: "listItem", content: [adfParagraph([box, ...(head.content ?? [])]), ...rest] };
}

function list(node: List, place: Place, conversion: Conversion): AdfNode[] {
  if (node.children.length === 0) return [];
  if (place === "doc" && fitsTaskList(node)) return [taskList(node, conversion)];
  const content = node.children.map((item) => listItem(item, conversion));
  if (node.ordered !== true) return [{ type: "bulletList", content }];
  return [{ type: "orderedList", attrs: { order: node.start ?? 1 }, content }];
}

function table(node: Table, place: Place, conversion: Conversion): AdfNode[] {
  const width = Math.max(0, ...node.children.map((row) => row.children.length));
  if (width === 0) return [];
  const cellsOf = (row: Table["children"][number]): AdfNode[][] =>
    Array.from({ length: width }, (_, column) =>
      lineToAdf(row.children[column]?.children ?? [], conversion.definitions),
    );
  if (place !== "doc") {
    return node.children.map((row) =>
      adfParagraph(cellsOf(row).flatMap((cell, column) => (column > 0 ? [adfText(" | "), ...cell] : cell))),
    );
  }
  const content = node.children.map((row, index) => ({
    type: "tableRow",
    content: cellsOf(row).map((cell) => ({
      type: index === 0 ? "tableHeader" : "tableCell",
      attrs: {},
      content: [adfParagraph(cell)],
    })),
  }));
  return [{ type: "table", attrs: { isNumberColumnEnabled: false, layout: "default" }, content }];
}

function codeBlock(value: string, language: string | null | undefined): AdfNode {
  return {
    type: "codeBlock",
    ...(language ? { attrs: { language } } : {}),
    content: value === "" ? [] : [adfText(value)],
  };
}

function paragraphOf(content: AdfNode[]): AdfNode[] {
  return content.length === 0 ? [] : [adfParagraph(content)];
}

function block(node: RootContent, place: Place, conversion: Conversion): AdfNode[] {
  switch (node.type) {
    case "paragraph":
      return paragraphOf(lineToAdf(node.children, conversion.definitions));
    case "heading": {
      const content = lineToAdf(node.children, conversion.definitions);
      if (place !== "doc") return paragraphOf(bold(content));
      return content.length === 0 ? [] : [{ type: "heading", attrs: { level: node.depth }, content }];
    }
    case "code":
      return [codeBlock(node.value, node.lang)];
    case "thematicBreak":
      return place === "doc" ? [{ type: "rule" }] : [adfParagraph([adfText("———")])];
    case "html":
      return paragraphOf(htmlToAdf(node.value));
    case "list":
      return list(node, place, conversion);
    case "table":
      return table(node, place, conversion);
    case "blockquote": {
      const content = blocks(node.children, place === "doc" ? "quote" : place, conversion);
      if (place !== "doc" || content.length === 0) return content;
      return [{ type: "blockquote", content }];
    }
    case "footnoteDefinition": {
      const [first, ...rest] = blocks(node.children, place, conversion);
      const label = adfText(`[${node.label ?? node.identifier}] `);
      if (first?.type !== "paragraph") return [adfParagraph([label]), ...(first ? [first] : []), ...rest];
      return [adfParagraph([label, ...(first.content ?? [])]), ...rest];
    }
    default:
      return [];
  }
}

function blocks(
  nodes: readonly (RootContent | BlockContent | DefinitionContent)[],
  place: Place,
  conversion: Conversion,
): AdfNode[] {
  return nodes.flatMap((node) => block(node, place, conversion));
}

/**
 * A body as an ADF document that keeps to Jira's schema. The same body always gives the same document.
 * HTML becomes plain text, a picture becomes a link, links other than http(s) and mailto become text.
 * Fenced `adf:<type>` blocks (see `fromAdf`) stay code: a model must not be able to write raw ADF.
 */
export function toAdf(body: Root): AdfDoc {
  let tasks = 0;
  const conversion: Conversion = {
    definitions: collectDefinitions(body),
    nextTask: () => {
      tasks += 1;
      return `task-${tasks}`;
    },
  };
  return { type: "doc", version: 1, content: blocks(body.children, "doc", conversion) };
}
