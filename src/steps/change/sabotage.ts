/**
 * Whether a change makes the tests say less than before: pure functions over the files of a change as they were and as they are. It
 * flags what a person should look at; that old expectations still hold is shown by running the old tests (see steps/checks).
 */
import { isSnapshot, isTestConfiguration, isTestFile } from "../../domain/test-file.ts";
import type { FileChange, Weakening } from "./file-change.ts";
import { testLanguage } from "./languages.ts";
import { readTests, type TestCase, type TestSource } from "./test-cases.ts";
import { configurationFlags } from "./test-configuration.ts";

interface TestFileChange {
  readonly file: FileChange;
  readonly before: TestSource | null;
  readonly after: TestSource | null;
}

function quoted(name: string): string {
  return `"${name.length > 80 ? `${name.slice(0, 80)}…` : name}"`;
}

/** Share of the old case's lines that are in the new one. */
function likeness(before: TestCase, after: TestCase): number {
  // The first line holds the name.
  const lines = before.lines.slice(1).filter((line) => line.length > 3);
  if (lines.length === 0) return 0;
  const there = new Set(after.lines);
  return lines.filter((line) => there.has(line)).length / lines.length;
}

/** What became worse from one version of a test case to the next. */
export function compareCases(before: TestCase, after: TestCase): string[] {
  const name = quoted(before.name);
  const problems: string[] = [];
  if (after.skipped && !before.skipped) problems.push(`test ${name} is skipped or may fail now`);
  if (after.hollow && !before.hollow) problems.push(`test ${name} returns before it checks anything`);
  if (after.trivial > before.trivial) problems.push(`test ${name} asserts what is always true`);
  if (after.swallowed > before.swallowed) problems.push(`test ${name} drops failures instead of showing them`);
  if (after.rows < before.rows) problems.push(`test ${name} is run with fewer cases (${after.rows} of ${before.rows})`);
  // One comparison of a whole value may stand for several of its parts.
  const merged = after.deep > before.deep;
  if (after.assertions < before.assertions && !merged) {
    problems.push(`test ${name} has fewer assertions (${after.assertions} of ${before.assertions})`);
  } else if (after.strong < before.strong && !merged && after.assertions > 0) {
    problems.push(`test ${name} has weaker assertions`);
  }
  return problems;
}

/** More pairs are not compared line by line: then a case is gone when its name is. */
const mostCompared = 100_000;

/** Pairs every old case with what became of it: by name, else the most similar new one. */
function pairCases(
  before: readonly { path: string; test: TestCase }[],
  after: readonly { path: string; test: TestCase }[],
): { path: string; before: TestCase; after: TestCase | null }[] {
  const left = [...after];
  const take = (at: number): TestCase | null => (at < 0 ? null : (left.splice(at, 1)[0]?.test ?? null));
  const named = before.map(({ path, test }) => {
    const here = left.findIndex((one) => one.test.name === test.name && one.path === path);
    return { path, before: test, after: take(here < 0 ? left.findIndex((one) => one.test.name === test.name) : here) };
  });
  const gone = named.filter((pair) => pair.after === null).length;
  if (gone * left.length > mostCompared) return named;
  return named.map((pair) => {
    if (pair.after !== null) return pair;
    const ranked = left.map(({ test }, at) => ({ at, like: likeness(pair.before, test) }));
    const best = ranked.sort((a, b) => b.like - a.like)[0];
    return best === undefined || best.like < 0.5 ? pair : { ...pair, after: take(best.at) };
  });
}

function caseFlags(files: readonly TestFileChange[]): Weakening[] {
  const all = (side: "before" | "after") =>
    files.flatMap((change) => (change[side]?.cases ?? []).map((test) => ({ path: change.file.path, test })));
  const pairs = pairCases(all("before"), all("after"));
  return pairs.flatMap(({ path, before, after }) => {
    const problems = after === null ? [`test ${quoted(before.name)} was removed`] : compareCases(before, after);
    return problems.map((problem) => ({ path, problem }));
  });
}

/** Things that make a whole file, or the whole run, say less. Counted: only what is new is flagged. */
const fileWide: readonly { readonly pattern: RegExp; readonly problem: string; readonly inNewFiles: boolean }[] = [
  {
    pattern: /\bmain\s*\([^)\n]{0,300}\)\s*(?:->\s*\w+\s*)?\{\s*(?:return|exit|_exit)\b/g,
    problem: "the test program returns before it checks anything",
    inNewFiles: true,
  },
  {
    pattern:
      /(?<![\w$.])(?:(?:it|test|describe|suite|context|specify)(?:\.\w+)*\.only|fit|fdescribe|fcontext)\s*[(`]|\bonly\s*:\s*true|\bfocus:\s*true/g,
    problem: "only some tests of the file run now (only)",
    inNewFiles: true,
  },
  {
    pattern:
      /\bprocess\.(?:exit|reallyExit|abort)\s*\(|\bprocess\.exitCode\s*=(?!=)|\bos\._exit\s*\(|\bsys\.exit\s*\(|\bos\.Exit\s*\(|\bpytest\.exit\s*\(|\bstd::process::exit\s*\(|\bSystem\.exit\s*\(|^exit 0$(?=\s*\S)/gm,
    problem: "a test ends the process itself, which hides what did not run",
    inNewFiles: true,
  },
  {
    pattern:
      /\b(?:assert|expect|chai|TestCase|unittest|globalThis|global)(?:\.\w+)+\s*=(?![=>])|\bsetattr\s*\(\s*(?:unittest|TestCase|pytest)/g,
    problem: "a function that tests rely on is replaced",
    inNewFiles: true,
  },
  {
    pattern: /\b(?:jest|vi)\.(?:mock|doMock)\s*\(|\bmock\.module\s*\(|(?:^|\s)@(?:mock\.)?patch\s*\(/g,
    problem: "what is tested may be replaced by a mock",
    inNewFiles: false,
  },
];

function fileFlags({ file, before, after }: TestFileChange): Weakening[] {
  const flags: string[] = [];
  if (after === null) return [];
  const was = before?.text.masked ?? "";
  for (const { pattern, problem, inNewFiles } of fileWide) {
    const grown = [...after.text.masked.matchAll(pattern)].length - [...was.matchAll(pattern)].length;
    if (grown > 0 && (inNewFiles || before !== null)) flags.push(problem);
  }
  if (before !== null && after.groupSkips > before.groupSkips) flags.push("a group of tests is skipped now");
  if (before !== null && before.cases.length === 0 && before.whole.assertions > after.whole.assertions) {
    flags.push(`fewer assertions (${after.whole.assertions} of ${before.whole.assertions})`);
  }
  if (before !== null && before.cases.length === 0 && after.whole.trivial > before.whole.trivial) {
    flags.push("asserts what is always true");
  }
  const tag = /^\/\/(?:go:build|\s*\+build)\s.+$/m;
  if (before !== null && file.path.endsWith(".go") && tag.test(file.after ?? "") && !tag.test(file.before ?? "")) {
    flags.push("a build tag keeps the tests from being built");
  }
  return flags.map((problem) => ({ path: file.path, problem }));
}

/** Test files that are there no more, or no longer what a runner finds; moved cases are found again by their names. */
function goneFlags(changes: readonly TestFileChange[]): Weakening[] {
  return changes.flatMap(({ file, before, after }) => {
    if (file.kind === "added" || after !== null || before === null) return [];
    const isCounted = before.cases.length === 0 && before.whole.assertions > 0;
    if (file.kind !== "deleted") return [{ path: file.path, problem: "is no text file any more" }];
    return isCounted ? [{ path: file.path, problem: "was deleted" }] : [];
  });
}

function snapshotFlags(files: readonly FileChange[]): Weakening[] {
  return files
    .filter((file) => isSnapshot(file.path) && file.kind !== "added")
    .map((file) => ({
      path: file.path,
      problem: file.kind === "deleted" ? "recorded results were deleted" : "recorded results were rewritten",
    }));
}

/** Ways in which code that is no test can make tests pass. */
const inSources: readonly (readonly [RegExp, string])[] = [
  [
    /\b(?:JEST_WORKER_ID|NODE_TEST_CONTEXT|PYTEST_CURRENT_TEST|VITEST(?:_\w+)?)\b|["']pytest["']\s+in\s+sys\.modules|\btesting\.Testing\(\)|\bNODE_ENV\b["'\]]*\s*===?\s*["']test["']/,
    "the code asks whether it is being tested",
  ],
  [
    /^(?:process\.exit\(\s*0?\s*\)|os\._exit\(0\)|sys\.exit\(0?\)|exit\(0\))/,
    "ends the process with success when it is loaded",
  ],
  [
    /\b(?:unittest|TestCase|assert)\.\w+\s*=\s*(?:lambda|\(|function|async)/,
    "a function that tests rely on is replaced",
  ],
];

const shadows =
  /(?:^|\/)(?:node_modules\/|site-packages\/|(?:site|user)customize\.py$|(?:pytest|unittest)(?:\.py$|\/))/;

function sourceFlags(file: FileChange): Weakening[] {
  if (shadows.test(file.path)) return [{ path: file.path, problem: "takes the place of what runs the tests" }];
  const language = testLanguage(file.path);
  if (language === null || /^(?:bin|scripts|tools)\/|\/bin\//.test(file.path) || (file.after ?? "").startsWith("#!"))
    return [];
  return inSources
    .filter(([pattern]) => file.added.some((line) => pattern.test(line.text)))
    .map(([, problem]) => ({ path: file.path, problem }));
}

/** Files that are no tests but with which a change decides about them: another test script, a stand-in for the test runner. */
export function decidesAboutTests(files: readonly FileChange[]): ReadonlySet<string> {
  const deciding = files.filter((file) => configurationFlags(file).length > 0 || shadows.test(file.path));
  return new Set(deciding.map(({ path }) => path));
}

/** Rust keeps tests beside the code. */
function holdsTests(file: FileChange): boolean {
  if (isTestFile(file.path)) return true;
  return file.path.endsWith(".rs") && /#\[(?:\w+::)*test\b/.test(file.before ?? "");
}

function readChange(file: FileChange): TestFileChange | null {
  const language = testLanguage(file.oldPath);
  const now = testLanguage(file.path);
  if (language === null && now === null) return null;
  return {
    file,
    before: file.before === null || language === null ? null : readTests(file.before, language),
    // A test file that was renamed to something that is none does not run any more.
    after: file.after === null || now === null || !holdsTests(file) ? null : readTests(file.after, now),
  };
}

/** Everything in a change that makes the tests say less, in the order of the files; empty for an honest change. */
export function findSabotage(files: readonly FileChange[]): Weakening[] {
  const tests = files
    .filter((file) => holdsTests(file) || isTestFile(file.oldPath))
    .flatMap((file) => readChange(file) ?? []);
  const flags = [
    ...goneFlags(tests),
    ...caseFlags(tests),
    ...tests.flatMap(fileFlags),
    ...snapshotFlags(files),
    ...files.flatMap(configurationFlags),
    ...files.filter((file) => !holdsTests(file) && !isTestConfiguration(file.path)).flatMap(sourceFlags),
  ];
  const seen = new Set<string>();
  return flags.filter(({ path, problem }) => {
    const key = `${path}\n${problem}`;
    return !seen.has(key) && seen.add(key);
  });
}
