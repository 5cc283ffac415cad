/** Finds the declarations in a source file. Native code works here on what strangers wrote: see child.ts. */
import { createRequire } from "node:module";
import { parse, registerDynamicLanguage, type SgNode } from "@ast-grep/napi";
import { kinds, type Language, languageOf } from "./languages.ts";

export interface Declaration {
  /** Counted from 1. */
  readonly line: number;
  /** How many other declarations it is in. */
  readonly depth: number;
  /** Its head on one line, without the body. */
  readonly head: string;
}

/** Kinds that hold nothing worth a line: what is declared inside a function is its own business. */
const closed = kinds("statement_block block function_body arrow_function function_expression comment string object");

const longestHead = 140;
/** A generated file may hold any number. */
const mostDeclarations = 2000;

/** The grammars that do not come with ast-grep are libraries of their own. */
function registerLanguages(): void {
  const require = createRequire(import.meta.url);
  registerDynamicLanguage(
    Object.fromEntries(["python", "go", "java"].map((name) => [name, require(`@ast-grep/lang-${name}`)])),
  );
}

/** What of a node a reader needs to know: its text up to the body. */
function headOf(node: SgNode): string {
  const value = node.field("value");
  const body =
    node.field("body") ??
    value?.field("body") ??
    value ??
    node.children().find((child) => /block$|_body$|^(element|text)$/.test(String(child.kind())));
  const text = node.text();
  const head = body == null ? text : text.slice(0, body.range().start.index - node.range().start.index);
  const line = head
    .replace(/\s+/g, " ")
    .replace(/[\s={:;]+$/, "")
    .trim();
  return line.length > longestHead ? `${line.slice(0, longestHead)}…` : line;
}

/** `export`, `const` and the like, which stand around a declaration. */
function prefixOf(node: SgNode): string {
  const parent = node.parent();
  const kind = String(parent?.kind() ?? "");
  if (
    parent === null ||
    !/^(export_statement|lexical_declaration|variable_declaration|ambient_declaration)$/.test(kind)
  )
    return "";
  const word = /^(export(?: default)?|const|let|var|declare)\b/.exec(parent.text())?.[0] ?? "";
  return `${prefixOf(parent)}${word} `;
}

const testNames = /^(?:describe|suite|test|it)(?:\.\w+)*$/;

/** A call like `describe("…", () => {…})`: its head and its body. Test files are made of them. */
function testBlock(node: SgNode): { readonly head: string; readonly body: SgNode | null } | null {
  if (!node.is("call_expression")) return null;
  const name = node.field("function")?.text() ?? "";
  const [title, ...rest] = (node.field("arguments")?.children() ?? []).filter((child) => child.isNamed());
  if (!testNames.test(name) || title === undefined || !/^(string|template_string)$/.test(String(title.kind())))
    return null;
  const body = rest.at(-1)?.field("body") ?? null;
  return { head: `${name} ${title.text()}`.replace(/\s+/g, " ").slice(0, longestHead), body };
}

function isDeclaration(node: SgNode, language: Language): boolean {
  const kind = String(node.kind());
  if (language.name === "Html" && kind === "element") return /^<[^>]*\sid\s*=/.test(node.text());
  if (kind === "assignment_expression") return /^(?:module\.)?exports\b/.test(node.text());
  return language.containers.has(kind) || language.leaves.has(kind);
}

/** Declarations of a file in their order; none when its language is not known. Broken code gives what can be made out. */
export function declarationsOf(path: string, source: string): readonly Declaration[] {
  const language = languageOf(path);
  if (language === undefined) return [];
  const found: Declaration[] = [];
  const note = (node: SgNode, depth: number, head: string): void => {
    if (found.length < mostDeclarations) found.push({ line: node.range().start.line + 1, depth, head });
  };
  const visit = (node: SgNode, depth: number): void => {
    const block = testBlock(node);
    if (block !== null) {
      note(node, depth, block.head);
      for (const child of block.body?.children() ?? []) visit(child, depth + 1);
      return;
    }
    const kind = String(node.kind());
    const declares = isDeclaration(node, language);
    if (declares) note(node, depth, prefixOf(node) + headOf(node));
    if (language.leaves.has(kind) || (!declares && closed.has(kind))) return;
    const body = declares ? (node.field("body") ?? node.children().find((child) => child.is("block")) ?? node) : node;
    for (const child of body.children()) if (child.isNamed()) visit(child, declares ? depth + 1 : depth);
  };
  registerLanguages();
  visit(parse(language.name, source).root(), 0);
  return found;
}
