/**
 * Source code without what only looks like code. One simple scanner for all languages: good enough to count and to match brackets in
 * code that compiles, not a parser.
 */

export interface SourceText {
  /** Comments blanked; texts still there. As long as the source. */
  readonly plain: string;
  /** Comments and the insides of texts blanked, so that brackets and words in it are code. As long as the source. */
  readonly masked: string;
}

export interface Syntax {
  readonly lineComment: readonly string[];
  readonly blockComment: readonly (readonly [open: string, close: string])[];
  /** Quotes of texts, longest first. */
  readonly quotes: readonly string[];
  /** Whether `'` only ever holds one character (so that Rust's lifetimes are no texts). */
  readonly characters?: boolean;
  /** Whether `/…/` can be a regular expression. */
  readonly regularExpressions?: boolean;
}

export const javascriptSyntax: Syntax = {
  lineComment: ["//"],
  blockComment: [["/*", "*/"]],
  quotes: ["`", '"', "'"],
  regularExpressions: true,
};
export const curlySyntax: Syntax = {
  lineComment: ["//"],
  blockComment: [["/*", "*/"]],
  quotes: ['"""', "`", '"'],
  characters: true,
};
export const pythonSyntax: Syntax = { lineComment: ["#"], blockComment: [], quotes: ['"""', "'''", '"', "'"] };
export const rubySyntax: Syntax = { lineComment: ["#"], blockComment: [["=begin", "=end"]], quotes: ['"', "'"] };

const blank = (text: string): string => text.replace(/[^\n]/g, " ");

/** Length of the text that starts with `quote` at `from`, quotes included. One-line texts end at the line's end at the latest. */
function textLength(source: string, from: number, quote: string): number {
  const manyLines = quote.length === 3 || quote === "`";
  let at = from + quote.length;
  while (at < source.length) {
    if (source[at] === "\\") at += 2;
    else if (source.startsWith(quote, at)) return at + quote.length - from;
    else if (source[at] === "\n" && !manyLines) return at - from;
    else at += 1;
  }
  return source.length - from;
}

function commentLength(source: string, at: number, syntax: Syntax): number {
  const block = syntax.blockComment.find(([open]) => source.startsWith(open, at));
  if (block !== undefined) {
    const end = source.indexOf(block[1], at + block[0].length);
    return (end < 0 ? source.length : end + block[1].length) - at;
  }
  if (!syntax.lineComment.some((mark) => source.startsWith(mark, at))) return 0;
  const end = source.indexOf("\n", at);
  return (end < 0 ? source.length : end) - at;
}

/** `/x/` where a value may begin, not a division. */
function regularExpressionLength(source: string, at: number, before: string): number {
  if (source[at] !== "/" || !/(?:^|[(,=:[!&|?{};+\n]|=>|\breturn)\s*$/.test(before.slice(-20))) return 0;
  return /^\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/\w*/.exec(source.slice(at, at + 500))?.[0].length ?? 0;
}

/** Reads a source file. Never throws: broken code gives a broken picture. */
export function readSource(source: string, syntax: Syntax): SourceText {
  let plain = "";
  let masked = "";
  for (let at = 0; at < source.length; ) {
    const comment = commentLength(source, at, syntax);
    if (comment > 0) {
      const gap = blank(source.slice(at, at + comment));
      plain += gap;
      masked += gap;
      at += comment;
      continue;
    }
    const character =
      syntax.characters === true ? /^'(?:\\.[^'\n]{0,8}|[^\\'\n])'/.exec(source.slice(at, at + 12)) : null;
    const quote = syntax.quotes.find((mark) => source.startsWith(mark, at));
    const length =
      character?.[0].length ??
      (quote !== undefined
        ? textLength(source, at, quote)
        : syntax.regularExpressions === true
          ? regularExpressionLength(source, at, masked)
          : 0);
    if (length > 1) {
      const edge = quote?.length ?? 1;
      const text = source.slice(at, at + length);
      plain += text;
      masked += text.slice(0, edge) + blank(text.slice(edge, -edge)) + (length >= 2 * edge ? text.slice(-edge) : "");
      at += length;
    } else {
      plain += source[at];
      masked += source[at];
      at += 1;
    }
  }
  return { plain, masked };
}

const closing: Readonly<Record<string, string>> = { "(": ")", "{": "}", "[": "]" };

/** Which brackets of a masked text belong together. Found in one pass, so that asking is cheap however deep they are nested. */
export interface Brackets {
  /** Index after the bracket that closes the one at `open`; the end of the text when there is none. */
  end(open: number): number;
  /** Index of the bracket that the one at `close` closes, or -1. */
  start(close: number): number;
}

/** Reads the brackets of masked text. Closing ones that close nothing are passed over. */
export function readBrackets(masked: string): Brackets {
  const ends = new Map<number, number>();
  const starts = new Map<number, number>();
  const open: { sign: string; at: number }[] = [];
  for (let at = 0; at < masked.length; at += 1) {
    const sign = masked[at] ?? "";
    const close = closing[sign];
    const last = open.at(-1);
    if (close !== undefined) open.push({ sign: close, at });
    else if (last !== undefined && sign === last.sign) {
      open.pop();
      ends.set(last.at, at + 1);
      starts.set(at, last.at);
    }
  }
  return { end: (at) => ends.get(at) ?? masked.length, start: (at) => starts.get(at) ?? -1 };
}
