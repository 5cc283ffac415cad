/** How many tests ran and which failed, as the runner itself tells: in JUnit XML, in TAP, or in the last lines it prints. */
import { XMLParser } from "fast-xml-parser";
import { z } from "zod";

export interface TestCounts {
  readonly total: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Names of failed tests, as many as are known, at most 20. */
  readonly failures: readonly string[];
}

export const mostFailures = 20;
const longestName = 200;

function counts(passed: number, failed: number, skipped: number, failures: readonly string[] = []): TestCounts {
  return {
    total: passed + failed + skipped,
    passed,
    failed,
    skipped,
    failures: failures.slice(0, mostFailures).map((name) => name.slice(0, longestName)),
  };
}

// No entities: reports come from code that we do not trust, and nothing that we read needs them.
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "",
  parseAttributeValue: false,
  parseTagValue: false,
  processEntities: false,
  isArray: (name) => name === "testsuite" || name === "testcase",
});

const text = z.string().catch("");
const Case = z
  .looseObject({
    name: text,
    classname: text,
    failure: z.unknown().optional(),
    error: z.unknown().optional(),
    skipped: z.unknown().optional(),
  })
  .catch({ name: "", classname: "", failure: undefined, error: undefined, skipped: undefined });
type Suite = { testsuite?: Suite[] | undefined; testcase?: z.infer<typeof Case>[] | undefined };
const Suite: z.ZodType<Suite> = z.lazy(() =>
  z.looseObject({ testsuite: z.array(Suite).optional(), testcase: z.array(Case).optional() }).catch({}),
);

function casesOf(suite: Suite): z.infer<typeof Case>[] {
  return [...(suite.testcase ?? []), ...(suite.testsuite ?? []).flatMap(casesOf)];
}

/** Reads a JUnit report (`testsuites` or `testsuite` at the top). Null when it is none. */
export function readJunit(xml: string): TestCounts | null {
  let document: unknown;
  try {
    document = parser.parse(xml);
  } catch {
    // Cut off or no XML at all: it says nothing.
    return null;
  }
  const root = z
    .looseObject({ testsuites: Suite.optional(), testsuite: z.array(Suite).optional() })
    .safeParse(document).data;
  if (root === undefined || (root.testsuites === undefined && root.testsuite === undefined)) return null;
  const cases = [...casesOf(root.testsuites ?? {}), ...(root.testsuite ?? []).flatMap(casesOf)];
  const failed = cases.filter((one) => one.failure !== undefined || one.error !== undefined);
  const skipped = cases.filter((one) => one.skipped !== undefined && !failed.includes(one));
  const names = failed.map(({ classname, name }) => [classname, name].filter((part) => part !== "").join(" › "));
  return counts(cases.length - failed.length - skipped.length, failed.length, skipped.length, names);
}

/** Reads TAP 12 to 14. Subtests (indented) count, their parents do not. Null when there is no plan in it. */
export function readTap(output: string): TestCounts | null {
  if (!/^\s*1\.\.\d+/m.test(output)) return null;
  let [passed, skipped] = [0, 0];
  const failures: string[] = [];
  let previous = -1;
  for (const line of output.split("\n")) {
    const match = /^(\s*)(not )?ok\b(?:\s+\d+)?\s*(?:-\s*)?(.*)$/.exec(line);
    if (match === null) continue;
    const [, indent = "", bad, rest = ""] = match;
    const depth = indent.length;
    // A line after deeper ones sums those up.
    const isParent = depth < previous;
    previous = depth;
    if (isParent) continue;
    if (/#\s*(?:skip|todo)\b/i.test(rest)) skipped += 1;
    else if (bad !== undefined) failures.push(rest.replace(/\s+#.*$/, ""));
    else passed += 1;
  }
  return counts(passed, failures.length, skipped, failures);
}

function number(output: string, pattern: RegExp): number {
  return Number([...output.matchAll(pattern)].at(-1)?.[1] ?? 0);
}

function names(output: string, pattern: RegExp): string[] {
  return [...new Set([...output.matchAll(pattern)].map((match) => (match[1] ?? "").trim()))];
}

/** The closing lines of common runners. The first that is recognised counts. */
const closings: readonly { readonly known: RegExp; readonly read: (output: string) => TestCounts }[] = [
  {
    // node --test, in both of its formats.
    known: /^(?:#|ℹ) tests \d+$/m,
    read: (output) =>
      counts(
        number(output, /^(?:#|ℹ) pass (\d+)$/gm),
        number(output, /^(?:#|ℹ) fail (\d+)$/gm) + number(output, /^(?:#|ℹ) cancelled (\d+)$/gm),
        number(output, /^(?:#|ℹ) skipped (\d+)$/gm) + number(output, /^(?:#|ℹ) todo (\d+)$/gm),
        names(output, /^\s*(?:✖ (?!failing tests)|not ok \d+ - )(.*?)(?: \([\d.]+ms\))?$/gm),
      ),
  },
  {
    // vitest ("Tests  1 failed | 5 passed (6)") and jest ("Tests:  1 failed, 5 passed, 6 total").
    known: /^\s*Tests:?\s+.*\b(?:passed|failed|skipped|todo|no tests)\b/m,
    read: (output) => {
      const line = /^\s*Tests:?\s+(.*)$/m.exec(output)?.[1] ?? "";
      const skipped = number(line, /(\d+) skipped/g) + number(line, /(\d+) todo/g) + number(line, /(\d+) pending/g);
      return counts(
        number(line, /(\d+) passed/g),
        number(line, /(\d+) failed/g),
        skipped,
        names(output, /^\s*(?:FAIL|●)\s+(.+)$/gm),
      );
    },
  },
  {
    known: /^(?:=+ )?.*\b(?:passed|failed|error|errors|skipped|no tests ran)\b.* in [\d.]+s/m,
    read: (output) => {
      const line = [...output.matchAll(/^(?:=+ )?(.* in [\d.]+s.*)$/gm)].at(-1)?.[1] ?? "";
      const failed = number(line, /(\d+) failed/g) + number(line, /(\d+) errors?\b/g);
      const skipped =
        number(line, /(\d+) skipped/g) + number(line, /(\d+) xfailed/g) + number(line, /(\d+) deselected/g);
      return counts(
        number(line, /(\d+) passed/g) + number(line, /(\d+) xpassed/g),
        failed,
        skipped,
        names(output, /^(?:FAILED|ERROR) (\S+)/gm),
      );
    },
  },
  {
    // unittest: the closing line says only what went wrong.
    known: /^Ran \d+ tests? in /m,
    read: (output) => {
      const total = number(output, /^Ran (\d+) tests? in /gm);
      const failed = number(output, /failures=(\d+)/g) + number(output, /errors=(\d+)/g);
      const skipped = number(output, /skipped=(\d+)/g) + number(output, /expected failures=(\d+)/g);
      return counts(total - failed - skipped, failed, skipped, names(output, /^(?:FAIL|ERROR): (.+)$/gm));
    },
  },
  {
    known: /^test result: /m,
    read: (output) => {
      const sum = (pattern: RegExp): number =>
        [...output.matchAll(pattern)].reduce((all, match) => all + Number(match[1]), 0);
      return counts(
        sum(/^test result: .*?(\d+) passed/gm),
        sum(/^test result: .*?(\d+) failed/gm),
        sum(/^test result: .*?(\d+) ignored/gm),
        names(output, /^test (\S+) \.\.\. FAILED$/gm),
      );
    },
  },
];

/** What is known of a test run, from the best source there is; null when the runner told nothing that we understand. */
export function countTests(output: string, junit: string | undefined): TestCounts | null {
  const report = junit === undefined ? null : readJunit(junit);
  if (report !== null) return report;
  const closing = closings.find(({ known }) => known.test(output));
  return closing?.read(output) ?? readTap(output);
}
