/** Which lines a test run executed, from lcov or Cobertura, and what that says of the lines of a change. */
import { XMLParser } from "fast-xml-parser";
import { z } from "zod";
import { isTestFile } from "../../domain/test-file.ts";
import type { ChangedFile } from "../change/patch.ts";

/** Hits by line, by file as the report names it. Lines that are not there cannot be executed. */
export type Coverage = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** Reads lcov's `SF`, `DA` and `end_of_record` lines (geninfo(1)). */
export function readLcov(report: string): Coverage {
  const files = new Map<string, Map<number, number>>();
  let lines = new Map<number, number>();
  for (const record of report.split(/\r?\n/)) {
    const file = /^SF:(.+)$/.exec(record)?.[1];
    const hit = /^DA:(\d+),(\d+)/.exec(record);
    if (file !== undefined) {
      lines = files.get(file) ?? new Map();
      files.set(file, lines);
    } else if (hit !== null) lines.set(Number(hit[1]), (lines.get(Number(hit[1])) ?? 0) + Number(hit[2]));
  }
  return files;
}

// No entities: reports come from code that we do not trust.
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "",
  processEntities: false,
  isArray: (name) => ["package", "class", "line", "method"].includes(name),
});
const Line = z.looseObject({ number: z.coerce.number().int(), hits: z.coerce.number().int() });
const Class = z.looseObject({
  filename: z.string(),
  lines: z.looseObject({ line: z.array(Line).catch([]) }).catch({ line: [] }),
});
const Package = z.looseObject({ classes: z.looseObject({ class: z.array(Class).catch([]) }).catch({ class: [] }) });
const Report = z.looseObject({
  coverage: z.looseObject({ packages: z.looseObject({ package: z.array(Package).catch([]) }).catch({ package: [] }) }),
});

/** Reads Cobertura XML. Null when it is none. */
export function readCobertura(xml: string): Coverage | null {
  let document: unknown;
  try {
    document = parser.parse(xml);
  } catch {
    // Cut off or no XML: it says nothing.
    return null;
  }
  const report = Report.safeParse(document).data;
  if (report === undefined) return null;
  const files = new Map<string, Map<number, number>>();
  for (const { filename, lines } of report.coverage.packages.package.flatMap((one) => one.classes.class)) {
    const known = files.get(filename) ?? new Map<number, number>();
    for (const line of lines.line) known.set(line.number, (known.get(line.number) ?? 0) + line.hits);
    files.set(filename, known);
  }
  return files;
}

/** Reads a report of either kind; null when it is neither. */
export function readCoverage(report: string): Coverage | null {
  if (/^\s*</.test(report)) return readCobertura(report);
  const coverage = readLcov(report);
  return coverage.size === 0 ? null : coverage;
}

export interface ChangedCoverage {
  /** Changed lines that the tests executed, of those that can be executed. */
  readonly covered: number;
  readonly total: number;
  /** What was not executed, as `src/a.js:12-14,20`; at most 20 files. */
  readonly missing: readonly string[];
}

/** `1,2,3,7` → `1-3,7` */
function ranges(numbers: readonly number[]): string {
  const parts: { from: number; to: number }[] = [];
  for (const one of numbers) {
    const last = parts.at(-1);
    if (last !== undefined && last.to === one - 1) last.to = one;
    else parts.push({ from: one, to: one });
  }
  return parts.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(",");
}

/** Reports name files by absolute path, from the root, or from a source directory. */
function linesOf(coverage: Coverage, path: string): ReadonlyMap<number, number> | undefined {
  const names = [...coverage.keys()];
  const plain = (name: string): string => name.replaceAll("\\", "/").replace(/^\.\//, "");
  const found =
    names.find((name) => plain(name) === path) ??
    names.find((name) => plain(name).endsWith(`/${path}`)) ??
    names.filter((name) => path.endsWith(`/${plain(name)}`)).sort((a, b) => b.length - a.length)[0];
  return found === undefined ? undefined : coverage.get(found);
}

/** How much of a change's added lines (tests left out) the tests executed; null when the report knows none of its files. */
export function coverageOfChange(files: readonly ChangedFile[], coverage: Coverage): ChangedCoverage | null {
  let covered = 0;
  let total = 0;
  const missing: string[] = [];
  for (const file of files.filter(({ path }) => !isTestFile(path))) {
    const lines = linesOf(coverage, file.path);
    const countable = file.added.map(({ number }) => number).filter((line) => lines?.has(line) === true);
    const missed = countable.filter((line) => (lines?.get(line) ?? 0) === 0);
    total += countable.length;
    covered += countable.length - missed.length;
    if (missed.length > 0) missing.push(`${file.path}:${ranges(missed)}`);
  }
  return total === 0 ? null : { covered, total, missing: missing.slice(0, 20) };
}
