/** What a command may change, by the diff alone. Who wants to change code under the name of documentation has to get past two looks. */
import { describe, expect, it } from "vitest";
import { onlyCommentsDiffer } from "../../../src/steps/amend/comments.ts";
import { isChangelog, isProse, scopeFindings } from "../../../src/steps/amend/scope.ts";
import { type Contents, changes } from "../change/changes.ts";

describe("only comments differ", () => {
  it.each<[name: string, path: string, before: string, after: string]>([
    ["a line before a function", "a.js", "f();\n", "// Does f.\nf();\n"],
    ["a block that grows", "a.ts", "/** One. */\nf();\n", "/**\n * One.\n * Two.\n */\nf();\n"],
    ["a block that goes", "a.go", "/* old */\nfunc f() {}\n", "func f() {}\n"],
    ["blank lines", "a.js", "f();\ng();\n", "f();\n\n// Then g.\ng();\n"],
    ["a Rust doc comment", "a.rs", "fn f() {}\n", "/// Does f.\nfn f() {}\n"],
    ["a Python comment", "a.py", "x = 1\n", "# One.\nx = 1\n"],
    ["a new docstring", "a.py", "def f():\n    return 1\n", 'def f():\n    """One."""\n    return 1\n'],
    [
      "a docstring of several lines",
      "a.py",
      'def f():\n    """One."""\n    return 1\n',
      'def f():\n    """One.\n\n    And more = 2\n    """\n    return 1\n',
    ],
    ["a module docstring", "a.py", "x = 1\n", '"""About x."""\nx = 1\n'],
    ["a Ruby comment", "a.rb", "def f\nend\n", "# Does f.\ndef f\nend\n"],
  ])("%s", (_name, path, before, after) => {
    expect(onlyCommentsDiffer(path, before, after)).toBe(true);
    expect(onlyCommentsDiffer(path, after, before)).toBe(true);
  });

  it.each<[name: string, path: string, before: string, after: string]>([
    ["code that moves", "a.js", "f();\ng();\n", "g();\nf();\n"],
    ["code behind a comment", "a.js", "/* x */\nf();\n", "/* x */ g();\nf();\n"],
    ["code that is commented out", "a.js", "f();\ng();\n", "f();\n// g();\n"],
    ["code that is let in", "a.js", "f();\n// g();\n", "f();\ng();\n"],
    ["a comment at the end of code", "a.js", "f();\n", "f(); // now\n"],
    ["a text that looks like a comment", "a.js", 'f("// a");\n', 'f("// b");\n'],
    [
      "a regular expression that looks like one",
      "a.js",
      'x.replace(/\\/\\//g, "a");\n',
      'x.replace(/\\/\\//g, "b");\n',
    ],
    ["a text of many lines that looks like one", "a.js", "const a = `\n// a\n`;\n", "const a = `\n// b\n`;\n"],
    ["a word to a linter", "a.js", "f();\n", "// eslint-disable-next-line no-eval\nf();\n"],
    ["a word to the compiler", "a.ts", "f();\n", "// @ts-ignore\nf();\n"],
    ["a build tag", "a.go", "package a\n", "//go:build ignore\npackage a\n"],
    ["a word to the coverage", "a.js", "f();\n", "/* c8 ignore next */\nf();\n"],
    ["indentation that means something", "a.py", "if x:\n    f()\n    g()\n", "if x:\n    f()\ng()\n"],
    ["a text that is used", "a.py", 'x = """\na\n"""\n', 'x = """\nb\n"""\n'],
    [
      "code between two texts",
      "a.py",
      'x = """\na\n"""\ny = 1\nz = """\nb\n"""\n',
      'x = """\na\n"""\ny = 2\nz = """\nb\n"""\n',
    ],
    [
      "a text behind a text",
      "a.py",
      'def f():\n    """A."""\n    """B."""\n    x()\n',
      'def f():\n    """A."""\n    """B."""\n    y()\n',
    ],
    ["a language that nobody knows", "a.xyz", "a\n", "# a\na\n"],
    ["a type of a comment's", "a.py", "x = f()\n", "# type: ignore\nx = f()\n"],
    ["another interpreter", "a.py", "#!/usr/bin/python3\nf()\n", "#!/bin/sh\nf()\n"],
  ])("not: %s", (_name, path, before, after) => {
    expect(onlyCommentsDiffer(path, before, after)).toBe(false);
  });
});

it.each([
  ...["README.md", "docs/a/b.rst", "docs/notes.txt", "CONTRIBUTING", "src/guide.adoc"].map(
    (path) => [path, true] as const,
  ),
  ...["requirements.txt", "CMakeLists.txt", "docs/conf.py", "robots.txt", "README.js"].map(
    (path) => [path, false] as const,
  ),
])("prose: %s %s", (path, expected) => {
  expect(isProse(path)).toBe(expected);
});

it.each([
  ...[
    "CHANGELOG.md",
    "HISTORY.rst",
    "packages/a/CHANGELOG.md",
    ".changeset/brave-cats.md",
    "changelogs/unreleased/1.yml",
  ].map((path) => [path, true] as const),
  ...["README.md", "src/changelog.js", "CHANGELOG.js", "docs/changes/a.py"].map((path) => [path, false] as const),
])("changelog: %s %s", (path, expected) => {
  expect(isChangelog(path)).toBe(expected);
});

describe("what is not asked for is refused", () => {
  const problems = (command: Parameters<typeof scopeFindings>[0], contents: Contents): string[] =>
    scopeFindings(command, changes(contents)).map(({ path, problem }) => `${path} ${problem}`.trim());

  it.each<[command: Parameters<typeof scopeFindings>[0], contents: Contents, expected: string[]]>([
    ["test", { "test/a.test.js": [null, "x"] }, []],
    ["test", { "test/a.test.js": [null, "x"], "src/a.js": ["a", "b"] }, ["src/a.js is no test"]],
    ["test", { "vitest.config.ts": ["a", "b"] }, ["vitest.config.ts is no test"]],
    ["docs", { "docs/a.md": [null, "x"] }, []],
    ["docs", { "src/new.js": [null, "// nothing\n"] }, ["src/new.js is no documentation"]],
    ["docs", { "docs/run.py": ["a\n", "b\n"] }, ["docs/run.py is changed in more than its comments"]],
    ["changelog", { "CHANGELOG.md": ["# C\n\n- a\n", "# C\n\n- b\n- a\n"] }, []],
    ["changelog", { "CHANGELOG.md": ["# C\n\n- a\n", "# C\n\n- b\n"] }, ["CHANGELOG.md loses entries that were there"]],
    ["changelog", { "CHANGELOG.md": ["- a\n", null] }, ["CHANGELOG.md is deleted"]],
    [
      "changelog",
      { "CHANGELOG.md": ["", "- a\n"], "README.md": ["", "a\n"] },
      ["README.md is no changelog", "changes 2 files instead of one"],
    ],
    ["fix", { "src/a.js": ["a", "b"] }, []],
    [null, { "src/a.js": ["a", "b"] }, []],
  ])("%s %j", (command, contents, expected) => {
    expect(problems(command, contents)).toEqual(expected);
    expect(scopeFindings(command, changes(contents)).every(({ action }) => action === "refuse")).toBe(true);
  });
});
