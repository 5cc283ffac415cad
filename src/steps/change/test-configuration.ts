/** Changes of the files that decide which tests run and how, and of the scripts that run them. */
import { z } from "zod";
import { isTestConfiguration, isTestFile } from "../../domain/test-file.ts";
import type { FileChange, Weakening } from "./file-change.ts";

/** Settings with which fewer tests run, or their failures do not count. */
const settings =
  /\b(?:exclude|include|ignore\w*|testMatch|testRegex|test(?:Path)?IgnorePatterns?|modulePathIgnorePatterns|testIgnore|spec|passWithNoTests|allowOnly|bail|retry|retries|threshold\w*|fail_under|addopts|testpaths|python_files|python_functions|python_classes|norecursedirs|collect_ignore\w*|deselect|xfail_strict|filterwarnings|skip\w*|maven\.test\.skip|testFailureIgnore|ignoreFailures|autotests|harness|continue-on-error|allow_failure|snapshot\w*|update)\b|--(?:ignore|deselect|exclude|test-skip-pattern|test-name-pattern|grep)\b|\s-k\s/i;

/** Python hooks and calls that drop tests or their results. */
const hooks =
  /\bpytest_(?:collection_modifyitems|ignore_collect|collect_file|runtest_\w+|sessionfinish|configure)\b|\bcollect_ignore\w*|\bskip\w*|\bxfail\b|\b_?exit\s*\(|\bexitstatus\b|\boutcome\b|\bsetattr\s*\(/;

/** A command whose failure does not count. */
const forced =
  /\|\|\s*(?:true|:|exit 0|echo)|;\s*(?:true|exit 0)\s*(?:["']|$)|\bexit 0\s*["']?,?\s*$|^\t-\s*\S|\bset \+e\b|\|\s*(?:true|cat|tee)\b|(?:continue-on-error|allow_failure):\s*true/;

/** What in a build file is about tests at all. */
const buildFiles: readonly (readonly [RegExp, RegExp])[] = [
  [
    /(?:^|\/)(?:Makefile|GNUmakefile|[^/]+\.mk|justfile|Justfile|Taskfile\.ya?ml|Rakefile|[^/]*(?:test|check|ci)[^/]*\.sh)$/,
    forced,
  ],
  [
    /(?:^|\/)(?:pyproject\.toml|setup\.cfg)$/,
    /\b(?:addopts|testpaths|python_files|python_functions|python_classes|norecursedirs|deselect|xfail_strict|fail_under|collect_ignore)\b|--(?:ignore|deselect)\b/,
  ],
  [/(?:^|\/)Cargo\.toml$/, /^\s*(?:test|harness|autotests|doctest)\s*=\s*false/],
  [
    /(?:^|\/)(?:pom\.xml|build\.gradle(?:\.kts)?|gradle\.properties)$/,
    /skipTests|maven\.test\.skip|testFailureIgnore|ignoreFailures|enabled\s*=\s*false|<skip>|\bexclude\b|filter\s*\{/,
  ],
  [/(?:^|\/)vite\.config\.\w+$/, /\b(?:exclude|include|passWithNoTests|retry|setupFiles|globalSetup)\b/],
];

const Manifest = z.looseObject({ scripts: z.record(z.string(), z.string()).optional() });

function manifest(text: string | null): z.infer<typeof Manifest> | null {
  if (text === null) return null;
  try {
    return Manifest.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    // No JSON: npm would not read it either.
    return null;
  }
}

const testKeys = ["jest", "vitest", "mocha", "ava", "c8", "nyc", "tap", "xo"] as const;
/** A script that says nothing about the code. */
const nothing = /^\s*(?:true|:|exit 0|echo\b[^&|;]*|)\s*$/;

function manifestProblems(before: z.infer<typeof Manifest>, after: z.infer<typeof Manifest> | null): string[] {
  if (after === null) return ["is no package manifest any more"];
  const problems: string[] = [];
  for (const [name, was] of Object.entries(before.scripts ?? {})) {
    if (!/^(?:pre|post)?test(?:$|[:_-])|^(?:unit|spec|e2e|check|ci)\b/.test(name)) continue;
    const now = after.scripts?.[name];
    if (now === undefined) problems.push(`script "${name}" was removed`);
    // More than before may follow what was there; anything else may leave something out.
    else if (now !== was && !(now.startsWith(`${was} && `) && !forced.test(now)))
      problems.push(`script "${name}" was changed`);
  }
  for (const name of ["pretest", "posttest"]) {
    if (after.scripts?.[name] !== undefined && before.scripts?.[name] === undefined)
      problems.push(`script "${name}" was added`);
  }
  for (const key of testKeys) {
    if (before[key] !== undefined && JSON.stringify(before[key]) !== JSON.stringify(after[key])) {
      problems.push(`the settings of ${key} were changed`);
    }
  }
  return problems;
}

/** What in a change of a configuration file keeps tests from running, or their failures from counting. */
export function configurationFlags(file: FileChange): Weakening[] {
  return problemsOf(file).map((problem) => ({ path: file.path, problem }));
}

function problemsOf(file: FileChange): string[] {
  if (/(?:^|\/)package\.json$/.test(file.path)) {
    const before = manifest(file.before);
    if (before !== null) return manifestProblems(before, manifest(file.after));
    const script = manifest(file.after)?.scripts?.test;
    return script !== undefined && (nothing.test(script) || forced.test(script))
      ? ['script "test" checks nothing']
      : [];
  }
  const changed = file.added.map((line) => line.text);
  if (isTestConfiguration(file.path) || isTestConfiguration(file.oldPath)) {
    if (file.kind === "deleted") return ["the tests' configuration was deleted"];
    const isPython = file.path.endsWith(".py");
    const suspicious = isPython ? hooks : settings;
    const both = isPython ? changed : [...changed, ...file.removed.map((line) => line.text)];
    return both.some((line) => suspicious.test(line) || forced.test(line))
      ? ["changes which tests run, or what counts as a failure"]
      : [];
  }
  const build = buildFiles.find(([name]) => name.test(file.path));
  if (build === undefined || isTestFile(file.path)) return [];
  return changed.some((line) => build[1].test(line)) ? ["changes which tests run, or what counts as a failure"] : [];
}
