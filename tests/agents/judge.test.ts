import { describe, expect, it } from "vitest";
import { checkClaim, commandText, doubted, type Finding, judgeQa } from "../../src/agents/judge.ts";
import type { CommandResult } from "../../src/domain/ports.ts";

const ran = (argv: string[], exitCode: number | null, timedOut = false): CommandResult => ({
  argv,
  exitCode,
  timedOut,
  stdout: "",
  stderr: "",
  durationMs: 1,
});
const commands = [
  ran(["npm", "test"], 0),
  ran(["npm", "run", "lint"], 1),
  ran(["sleep", "9"], null, true),
  ran(["x"], null),
];
const finding = (verdict: Finding["verdict"], command: number | null, criterion = 1): Finding => ({
  criterion,
  verdict,
  command,
  evidence: "its words",
});

describe("judgeQa", () => {
  it.each([
    ["met, and the command exited 0", [finding("met", 1)], "met", "npm test", 0, "its words"],
    ["met, but the command failed", [finding("met", 2)], "not_met", "npm run lint", 1, /failed/],
    ["met, but the command timed out", [finding("met", 3)], "cannot_tell", "sleep 9", null, /did not finish/],
    ["met, but the command was killed", [finding("met", 4)], "cannot_tell", "x", null, /did not finish/],
    ["met, but no such command", [finding("met", 9)], "cannot_tell", null, null, /no command 9/],
    ["met, but no command cited", [finding("met", null)], "cannot_tell", null, null, /no command was named/],
    ["not met, with a command", [finding("not_met", 2)], "not_met", "npm run lint", 1, "its words"],
    ["not met, though the command exited 0", [finding("not_met", 1)], "not_met", "npm test", 0, "its words"],
    ["not met, seen in the code", [finding("not_met", null)], "not_met", null, null, "its words"],
    ["cannot tell", [finding("cannot_tell", null)], "cannot_tell", null, null, "its words"],
    [
      "cannot tell, though the command exited 0",
      [finding("cannot_tell", 1)],
      "cannot_tell",
      "npm test",
      0,
      "its words",
    ],
    ["left out", [], "cannot_tell", null, null, /not looked at/],
    ["only another criterion", [finding("met", 1, 7)], "cannot_tell", null, null, /not looked at/],
    [
      "twice, the gloomier counts",
      [finding("met", 1), finding("not_met", 2)],
      "not_met",
      "npm run lint",
      1,
      "its words",
    ],
    [
      "twice, in the other order",
      [finding("cannot_tell", 2), finding("met", 1)],
      "cannot_tell",
      "npm run lint",
      1,
      "its words",
    ],
  ] as const)("%s", (_name, criteria, verdict, command, exitCode, evidence) => {
    const [proof, ...others] = judgeQa({ criteria: [...criteria], notes: "" }, ["first"], commands);
    expect(others).toEqual([]);
    expect(proof).toMatchObject({ criterion: "first", verdict, command, exitCode });
    expect(proof?.evidence).toMatch(evidence);
  });

  it("answers for every criterion, in their order", () => {
    const report = { criteria: [finding("met", 1, 3), finding("not_met", null, 1)], notes: "" };
    expect(judgeQa(report, ["a", "b", "c"], commands).map((row) => [row.criterion, row.verdict])).toEqual([
      ["a", "not_met"],
      ["b", "cannot_tell"],
      ["c", "met"],
    ]);
  });
});

describe("checkClaim", () => {
  const claim = (files: string[], tests: string[] = []) => ({
    ...{ title: "t", summary: "s", files, tests },
    ...{ shownBy: [] as string[], contradicted: [] },
  });
  it.each([
    ["they agree", claim(["a.ts"], ["a.test.ts"]), ["a.test.ts", "a.ts"], []],
    ["spelling of a path", claim(["./a.ts", "/b.ts", "c\\d.ts"]), ["a.ts", "b.ts", "c/d.ts"], []],
    ["a dot file", claim([".env.example"]), [".env.example"], []],
    ["claimed but unchanged", claim(["a.ts", "b.ts"]), ["a.ts"], ["b.ts: said to be changed, but is not"]],
    ["changed but not claimed", claim(["a.ts"]), ["a.ts", "ci.yml"], ["ci.yml: changed, but not mentioned"]],
    [
      "a test that is not there",
      claim(["a.ts"], ["a.test.ts"]),
      ["a.ts"],
      ["a.test.ts: said to be changed, but is not"],
    ],
    ["nothing changed", claim(["a.ts"]), [], ["a.ts: said to be changed, but is not"]],
    ["nothing claimed", claim([]), ["b", "a"], ["a: changed, but not mentioned", "b: changed, but not mentioned"]],
    ["nothing at all", claim([]), [], []],
  ])("%s", (_name, said, paths, expected) => {
    const changed = paths.map((path) => ({ path, status: "M" }));
    expect(checkClaim(said, changed).map((row) => `${row.path}: ${row.problem}`)).toEqual(expected);
  });
});

it("doubt leaves nothing met, and what is not met as it is", () => {
  const report = { criteria: [finding("met", 1, 1), finding("not_met", 2, 2)], notes: "" };
  expect(doubted(judgeQa(report, ["a", "b"], commands), "tests were weakened")).toMatchObject([
    { verdict: "cannot_tell", command: "npm test", evidence: "tests were weakened" },
    { verdict: "not_met", evidence: "its words" },
  ]);
});

describe("the tests that are claimed to show the criteria", () => {
  const tree = { count: 2, exists: (path: string) => path === "test/a.test.js" };
  const claim = (...shownBy: string[]) => ({
    ...{ title: "t", summary: "s", files: [], tests: [], shownBy, contradicted: [] },
  });
  it.each([
    ["silence says nothing", [], []],
    ["they are there", ["./test/a.test.js", "test/a.test.js"], []],
    [
      "one is not",
      ["test/a.test.js", "test/b.test.js"],
      ["test/b.test.js: said to show criterion 2, but is not there"],
    ],
    ["there is none", ["test/a.test.js", "none"], ["criterion 2: no test shows it"]],
    ["one is left out", ["test/a.test.js"], ["criterion 2: not mentioned"]],
    [
      "one too many",
      ["test/a.test.js", "test/a.test.js", "test/a.test.js"],
      ["criterion 3: claimed, but there is none of that number"],
    ],
  ])("%s", (_name, shownBy, expected) => {
    expect(checkClaim(claim(...shownBy), [], tree).map((row) => `${row.path}: ${row.problem}`)).toEqual(expected);
  });
});

it("commandText quotes what a shell would split", () => {
  expect(commandText(["node", "--test", "a b", "it's", ""])).toBe("node --test 'a b' 'it'\\''s' ''");
});
