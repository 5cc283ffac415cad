/** The test cases of a source file, and what in them can fail. */
import type { TestLanguage } from "./languages.ts";
import { matching, readSource, type SourceText } from "./source-text.ts";

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
  /\bexpect\(\s*([^()\n]+?)\s*\)\.(?:toBe|toEqual|toStrictEqual|to\.(?:equal|eq|eql|be))\(\s*\1\s*\)/g,
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
  /\bcatch\s*(?:\([^)]*\))?\s*\{\s*\}|\.catch\(\s*(?:\(\s*\w*\s*\)|\w+)\s*=>\s*(?:\{\s*\}|undefined|null)\s*\)|\bexcept\b[^\n:]*:\s*(?:pass|\.\.\.)|\bcontextlib\.suppress\s*\(|\brescue\b[^\n]*\n\s*(?:nil\s*)?end\b|\bif\s*\(?\s*(?:false|False|0)\s*\)?\s*[{:]|\bdefer\s+func\(\)\s*\{\s*recover\(\)\s*\}/g;

const hollow = /(?:=>|\)|\bdo\b|:)\s*\{?\s*return\b\s*(?:None\b|nil\b|undefined\b)?\s*(?:;|\n|\})/;

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
}

function indentOf(line: string): number {
  return /^[ \t]*/.exec(line)?.[0].length ?? 0;
}

/** End of a block that is told by indentation: the first line that is not deeper; with `end`, that line included. */
function endByIndent(masked: string, start: number, withEnd: boolean): number {
  const first = masked.lastIndexOf("\n", start) + 1;
  const depth = indentOf(masked.slice(first));
  let at = masked.indexOf("\n", start);
  // A signature over several lines: go on behind its bracket.
  const bracket = masked.indexOf("(", start);
  if (!withEnd && bracket >= 0 && (at < 0 || bracket < at)) at = masked.indexOf("\n", matching(masked, bracket) - 1);
  while (at >= 0 && at + 1 < masked.length) {
    const next = masked.indexOf("\n", at + 1);
    const line = masked.slice(at + 1, next < 0 ? undefined : next);
    if (line.trim() !== "" && indentOf(line) <= depth)
      return withEnd && /^\s*end\b/.test(line) ? at + 1 + line.length : at;
    at = next;
  }
  return masked.length;
}

/** Beginning of the line that opens the bracket which `line` closes, as in `])`; the line's own beginning when it closes none. */
function opensAt(masked: string, from: number, line: string): number {
  if (!/^\s*[\])}]/.test(line)) return from;
  for (let at = masked.lastIndexOf("(", from); at >= 0 && from - at < 20_000; at = masked.lastIndexOf("(", at - 1)) {
    if (matching(masked, at) > from) return masked.lastIndexOf("\n", at) + 1;
    if (at === 0) break;
  }
  return from;
}

/** Beginning of the attributes directly before `start`. */
function attributesBefore(masked: string, start: number, attribute: RegExp): number {
  let from = masked.lastIndexOf("\n", start) + 1;
  while (from > 0) {
    const line = masked.lastIndexOf("\n", from - 2) + 1;
    const before = opensAt(masked, line, masked.slice(line, from));
    if (!attribute.test(masked.slice(before, from))) break;
    from = before;
  }
  return Math.min(from, start);
}

/** Behind the tables of `.each(…)(`, in front of the call with name and body. */
function callOf(masked: string, keywordEnd: number, isTable: boolean): number {
  let open = keywordEnd + (/^\s*/.exec(masked.slice(keywordEnd))?.[0].length ?? 0);
  if (!isTable) return open;
  open = masked[open] === "`" ? masked.indexOf("`", open + 1) + 1 : matching(masked, open);
  return open + (/^\s*/.exec(masked.slice(open))?.[0].length ?? 0);
}

function extentOf(masked: string, start: number, end: number, language: TestLanguage): { open: number; end: number } {
  switch (language.testCase?.extent) {
    case "call": {
      const open = callOf(masked, end, /\.(?:each|for)$/.test(masked.slice(start, end)));
      return { open, end: matching(masked, open) };
    }
    case "block": {
      const signature = matching(masked, masked.indexOf("(", end - 1));
      const brace = masked.indexOf("{", signature);
      return { open: end, end: brace < 0 ? masked.length : matching(masked, brace) };
    }
    default:
      return { open: end, end: endByIndent(masked, end, language.testCase?.extent === "end") };
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
const row = /^\s*[[{(].*[\]})],?\s*$/gm;
const table = /\.(?:each|for)\s*$|\bparametrize\b|\b(?:cases|tests|tt|table|testCases)\b\s*:?=/;

function readCase(source: SourceText, match: RegExpExecArray, language: TestLanguage): TestCase {
  const { masked, plain } = source;
  const end = match.index + match[0].length;
  const extent = extentOf(masked, match.index, end, language);
  const from =
    language.attribute === undefined ? match.index : attributesBefore(masked, match.index, language.attribute);
  const named = match.groups?.name ?? match.groups?.method;
  const first = plain.slice(extent.open, extent.end).match(/(["'`])((?:\\.|(?!\1)[\s\S])*)\1/);
  const text = masked.slice(from, extent.end);
  const keyword = masked.slice(match.index, end);
  return {
    name: named ?? first?.[2] ?? match[0].trim(),
    skipped: language.skips.test(keyword) || language.skips.test(text),
    hollow: hollow.test(masked.slice(extent.open, extent.end).split("\n").slice(0, 3).join("\n")),
    ...measure(source, from, extent.end, language),
    rows: table.test(text) || table.test(keyword) ? count(text, row) : 0,
  };
}

export interface TestSource {
  /** Empty when the language's cases are not told apart. */
  readonly cases: readonly TestCase[];
  readonly whole: ReturnType<typeof measure>;
  /** Groups of tests that do not run. */
  readonly groupSkips: number;
  readonly text: SourceText;
}

/** Reads a file of tests. Never throws. */
export function readTests(source: string, language: TestLanguage): TestSource {
  const text = readSource(source.replaceAll("\r\n", "\n"), language.syntax);
  const start = language.testCase?.start;
  const matches = start === undefined ? [] : [...text.masked.matchAll(start)];
  return {
    cases: matches.map((match) => readCase(text, match, language)),
    whole: measure(text, 0, text.masked.length, language),
    groupSkips: language.groupSkips === undefined ? 0 : count(text.masked, language.groupSkips),
    text,
  };
}
