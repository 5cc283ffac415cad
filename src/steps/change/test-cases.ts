/** The test cases of a source file, and what in them can fail. */
import type { TestLanguage } from "./languages.ts";
import { type Brackets, readBrackets, readSource, type SourceText } from "./source-text.ts";

export interface TestCase {
  readonly name: string;
  readonly skipped: boolean;
  /** Returns before anything is checked. */
  readonly hollow: boolean;
  readonly assertions: number;
  /** Assertions that say more than "there is something". */
  readonly strong: number;
  readonly deep: number;
  /** Assertions that cannot fail. */
  readonly trivial: number;
  /** Places where a failure is caught and dropped. */
  readonly swallowed: number;
  /** Rows of tables that the case is run with. */
  readonly rows: number;
  /** Lines of its code, without white space, in order. */
  readonly lines: readonly string[];
}

/** Cannot fail, in any language. Over text without comments. */
const trivial: readonly RegExp[] = [
  /\bassert(?:\.ok|\.isTrue|\.isOk|True|_true|!)?\s*\(\s*(?:true|True|1|!0|!false)\s*[,)]/g,
  /\bassert[._]?\w*(?:[eE]quals?|Same|[Ee]q|_eq!)\w*\s*\(\s*(?:t,\s*)?((?:"[^"\n]*"|'[^'\n]*'|[\w.$[\]])+)\s*,\s*\1\s*[,)]/g,
  /\bexpect\(\s*(?=\S)([^()\n]{1,200}?)\s*\)\.(?:toBe|toEqual|toStrictEqual|to\.(?:equal|eq|eql|be))\(\s*\1\s*\)/g,
  /\bexpect\(\s*(?:true|1)\s*\)\.(?:to|not\.to)/g,
  /\bexpect\.(?:anything|any)\s*\(/g,
  /(?:\|\|\s*(?:true|1)|\bor\s+True)\s*(?:[,)\n;]|$)/gm,
  /\bassert\s+(?:True|1|not\s+False)\s*(?:,|$|;|#)/gm,
  /\bassert\s+([\w.'"[\]()]+)\s*==\s*\1\s*(?:,|$)/gm,
  /\b(?:assert|require)\.(?:True|Equal)\(t,\s*(?:true|(\w+),\s*\1)\s*[,)]/g,
  /\bassert\s+true\s*$|\bexpect\(true\)\.to\s/gm,
];

/** A failure that is caught and forgotten. */
const swallowing =
  /\bcatch(?:\s*\([^)\n]{0,200}\))?\s*\{\s*\}|\.catch\(\s*(?:\((?:\s*\w+)?\s*\)|\w+)\s*=>\s*(?:\{\s*\}|undefined|null)\s*\)|\bexcept\b[^\n:]*:\s*(?:pass|\.\.\.)|\bcontextlib\.suppress\s*\(|\brescue\b[^\n]*\n\s*(?:nil\s*)?end\b|\bif(?:\s*\()?\s*(?:false|False|0)(?:\s*\))?\s*[{:]|\bdefer\s+func\(\)\s*\{\s*recover\(\)\s*\}/g;

const hollow = /(?:=>|\)|\bdo\b|:)\s*\{?\s*return\b\s*(?:None\b|nil\b|undefined\b)?\s*(?:;|\n|\})/;

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
}

function indentOf(line: string): number {
  return /^[ \t]*/.exec(line)?.[0].length ?? 0;
}

/** Masked text with its brackets. */
interface Code {
  readonly masked: string;
  readonly brackets: Brackets;
}

/** End of a block that is told by indentation: the first line that is not deeper; with `end`, that line included. */
function endByIndent({ masked, brackets }: Code, start: number, withEnd: boolean): number {
  const first = masked.lastIndexOf("\n", start) + 1;
  const depth = indentOf(masked.slice(first, first + 500));
  let at = masked.indexOf("\n", start);
  // A signature over several lines: go on behind its bracket.
  const bracket = masked.indexOf("(", start);
  if (!withEnd && bracket >= 0 && (at < 0 || bracket < at)) at = masked.indexOf("\n", brackets.end(bracket) - 1);
  while (at >= 0 && at + 1 < masked.length) {
    const next = masked.indexOf("\n", at + 1);
    const line = masked.slice(at + 1, next < 0 ? undefined : next);
    if (line.trim() !== "" && indentOf(line) <= depth)
      return withEnd && /^\s*end\b/.test(line) ? at + 1 + line.length : at;
    at = next;
  }
  return masked.length;
}

/** Beginning of the line with the bracket that the line at `from` closes, as in `])`; `from` itself when it closes none. */
function opensAt({ masked, brackets }: Code, from: number, line: string): number {
  const sign = /^\s*[\])}]/.exec(line);
  const open = sign === null ? -1 : brackets.start(from + sign[0].length - 1);
  return open < 0 ? from : masked.lastIndexOf("\n", open) + 1;
}

/** Most lines of attributes before one case. */
const mostAttributes = 50;

/** Beginning of the attributes directly before `start`. */
function attributesBefore(code: Code, start: number, attribute: RegExp): number {
  const { masked } = code;
  let from = masked.lastIndexOf("\n", start) + 1;
  for (let lines = 0; from > 0 && lines < mostAttributes; lines += 1) {
    const line = masked.lastIndexOf("\n", from - 2) + 1;
    const before = opensAt(code, line, masked.slice(line, from));
    if (!attribute.test(masked.slice(before, from))) break;
    from = before;
  }
  return Math.min(from, start);
}

/** Index of the first sign that is no white space, from `at` on. */
function skipBlanks(text: string, at: number): number {
  let next = at;
  while (next < text.length && /\s/.test(text[next] ?? "")) next += 1;
  return next;
}

/** Behind the tables of `.each(…)(`, in front of the call with name and body. */
function callOf({ masked, brackets }: Code, keywordEnd: number, isTable: boolean): number {
  const open = skipBlanks(masked, keywordEnd);
  if (!isTable) return open;
  return skipBlanks(masked, masked[open] === "`" ? masked.indexOf("`", open + 1) + 1 : brackets.end(open));
}

function extentOf(code: Code, start: number, end: number, language: TestLanguage): { open: number; end: number } {
  const { masked, brackets } = code;
  switch (language.testCase?.extent) {
    case "call": {
      const open = callOf(code, end, /\.(?:each|for)$/.test(masked.slice(start, end)));
      return { open, end: brackets.end(open) };
    }
    case "block": {
      const brace = masked.indexOf("{", brackets.end(masked.indexOf("(", end - 1)));
      return { open: end, end: brace < 0 ? masked.length : brackets.end(brace) };
    }
    default:
      return { open: end, end: endByIndent(code, end, language.testCase?.extent === "end") };
  }
}

/** What of a text can fail, and how seriously. */
function measure(source: SourceText, from: number, to: number, language: TestLanguage) {
  const masked = source.masked.slice(from, to);
  const plain = source.plain.slice(from, to);
  const assertions = count(masked, language.assertions);
  return {
    assertions,
    strong: Math.max(0, assertions - count(masked, language.loose)),
    deep: count(masked, language.deep),
    // Inside a text it is no code.
    trivial: trivial
      .flatMap((pattern) => [...plain.matchAll(pattern)])
      .filter((match) => masked[match.index] === plain[match.index]).length,
    swallowed: count(masked, swallowing),
    lines: plain
      .split("\n")
      .map((line) => line.replace(/\s+/g, ""))
      .filter((line) => line !== ""),
  };
}

/** Lines that look like the row of a table: `["a", 1],`, `{ in: 1, out: 2 },`, `("a", 1),`. */
const row = /^[ \t]*[[{(].*[\]})],?[ \t]*$/gm;
const table = /\.(?:each|for)\s*$|\bparametrize\b|\b(?:cases|tests|tt|table|testCases)\b\s*:?=/;

function readCase(source: SourceText & Code, match: RegExpExecArray, language: TestLanguage) {
  const { masked, plain } = source;
  const end = match.index + match[0].length;
  const extent = extentOf(source, match.index, end, language);
  const from =
    language.attribute === undefined ? match.index : attributesBefore(source, match.index, language.attribute);
  const named = match.groups?.name ?? match.groups?.method;
  const first = plain.slice(extent.open, extent.end).match(/(["'`])((?:\\.|(?!\1)[\s\S]){0,500})\1/);
  const text = masked.slice(from, extent.end);
  const keyword = masked.slice(match.index, end);
  const test: TestCase = {
    name: named ?? first?.[2] ?? match[0].trim(),
    skipped: language.skips.test(keyword) || language.skips.test(text),
    hollow: hollow.test(
      masked
        .slice(extent.open, Math.min(extent.end, extent.open + 500))
        .split("\n")
        .slice(0, 3)
        .join("\n"),
    ),
    ...measure(source, from, extent.end, language),
    rows: table.test(text) || table.test(keyword) ? count(text, row) : 0,
  };
  return { test, size: extent.end - from };
}

/** Cases within cases are read several times. Beyond so many times the size of the file it is no file of tests that people write. */
const mostOverlap = 20;

/** The cases of a file; none when they cannot be told apart. */
function readCases(source: SourceText & Code, language: TestLanguage): TestCase[] {
  if (language.testCase === undefined) return [];
  const cases: TestCase[] = [];
  let left = source.masked.length * mostOverlap;
  for (const match of source.masked.matchAll(language.testCase.start)) {
    const { test, size } = readCase(source, match, language);
    left -= size;
    if (left < 0) return [];
    cases.push(test);
  }
  return cases;
}

export interface TestSource {
  /** Empty when the language's cases are not told apart. */
  readonly cases: readonly TestCase[];
  readonly whole: ReturnType<typeof measure>;
  /** Groups of tests that do not run. */
  readonly groupSkips: number;
  readonly text: SourceText;
}

/**
 * The source without what patterns could be made to wait for: endless lines, deserts of white space. Both sides of a comparison lose the
 * same.
 */
function tamed(source: string): string {
  return source
    .replaceAll("\r\n", "\n")
    .replace(/[^\S\n]{60,}/g, " ".repeat(60))
    .replace(/(?:[^\S\n]*\n){20,}/g, "\n".repeat(20))
    .replace(/^(.{2000}).+$/gm, "$1");
}

/** Reads a file of tests. Never throws, and takes time in proportion to the size. */
export function readTests(source: string, language: TestLanguage): TestSource {
  const text = readSource(tamed(source), language.syntax);
  const code = { ...text, brackets: readBrackets(text.masked) };
  return {
    cases: readCases(code, language),
    whole: measure(text, 0, text.masked.length, language),
    groupSkips: language.groupSkips === undefined ? 0 : count(text.masked, language.groupSkips),
    text,
  };
}
