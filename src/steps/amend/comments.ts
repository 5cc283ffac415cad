/**
 * Whether two versions of a source file differ in nothing but comments. Says no when it cannot be sure: two independent looks have to
 * agree, the file without its comments, and every changed line by itself.
 */

import { testLanguage } from "../change/languages.ts";
import { readSource } from "../change/source-text.ts";

/** Comments that tell a tool what to do are code. */
const directive =
  /\b(?:eslint|biome|jshint|jslint|tslint|prettier|istanbul|c8|v8|noqa|nosec|nosonar|pylint|mypy|pyright|rubocop|noinspection|golint|nolint|clang-format|sonar|webpack\w*|vite|jsx\w*|swiftlint|ktlint|checkstyle|phpcs|phpstan|psalm)\b|@ts-|@jsx|\btype:\s|\bpragma\b|\bcoding[:=]|^\s*#!|\/\/go:|\/\/\s*\+build|\/\/\/\s*<(?:reference|amd)|\b(?:from|import)\s+"C"|^\s*\/\/\s*#|sourceMappingURL|frozen_string_literal|vim?:\s|-\*-/i;

/** A line of its own that holds nothing but a comment, in one language or another. */
const commentLine = /^\s*(?:\/\/|\/\*|\*|#|--|;|%|"{3}|'{3}|<!--|-->|=begin|=end|$)/;

interface Picture {
  /** Lines with anything but comments and documentation strings in them. */
  readonly code: readonly string[];
  /** Numbers (from 0) of lines inside of a documentation string. */
  readonly documentation: ReadonlySet<number>;
}

/** Python's documentation strings: a text of three quotes where a body begins. */
function documentationStrings(masked: string): readonly (readonly [from: number, to: number])[] {
  return [...masked.matchAll(/("""|''')[ \n]*\1/g)].flatMap(({ index, 0: text }) => {
    const line = masked.slice(masked.lastIndexOf("\n", index - 1) + 1, index);
    const before = masked.slice(0, index).trimEnd();
    const begins = line.trim() === "" && (before === "" || before.endsWith(":"));
    return begins ? [[index, index + text.length] as const] : [];
  });
}

function pictureOf(path: string, source: string): Picture | null {
  const language = testLanguage(path);
  if (language === null) return null;
  const { plain, masked } = readSource(source, language.syntax);
  let code = plain;
  const documentation = new Set<number>();
  for (const [from, to] of path.endsWith(".py") ? documentationStrings(masked) : []) {
    code = `${code.slice(0, from)}${code.slice(from, to).replace(/[^\n]/g, " ")}${code.slice(to)}`;
    const first = source.slice(0, from).split("\n").length - 1;
    const count = source.slice(from, to).split("\n").length;
    for (let line = first; line < first + count; line += 1) documentation.add(line);
  }
  const lines = code.split("\n").map((line) => line.trimEnd());
  return { code: lines.filter((line) => line !== ""), documentation };
}

/** Lines of one version that are not in the other, with their numbers from 0. As a multiset: order is for the other look. */
function onlyIn(
  one: readonly string[],
  other: readonly string[],
): readonly (readonly [number: number, text: string])[] {
  const left = new Map<string, number>();
  for (const line of other) left.set(line, (left.get(line) ?? 0) + 1);
  return one.flatMap((line, number) => {
    const count = left.get(line) ?? 0;
    if (count > 0) left.set(line, count - 1);
    return count > 0 ? [] : [[number, line] as const];
  });
}

/** @param path decides about the language */
export function onlyCommentsDiffer(path: string, before: string, after: string): boolean {
  const [old, now] = [pictureOf(path, before), pictureOf(path, after)];
  if (old === null || now === null) return false;
  if (old.code.join("\n") !== now.code.join("\n")) return false;
  const [oldLines, nowLines] = [before.split("\n"), after.split("\n")];
  const isDocumentation = (picture: Picture, [number, text]: readonly [number, string]): boolean =>
    !directive.test(text) && (commentLine.test(text) || picture.documentation.has(number));
  return (
    onlyIn(oldLines, nowLines).every((line) => isDocumentation(old, line)) &&
    onlyIn(nowLines, oldLines).every((line) => isDocumentation(now, line))
  );
}
