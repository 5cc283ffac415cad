/** How earlier runs count: only what led to the head as it is, and only since a person last asked. */
import { describe, expect, it } from "vitest";
import type { Diagnosed, FailedJob } from "../../../src/steps/heal/outputs.ts";
import { type Attempt, pastOf } from "../../../src/steps/heal/past.ts";

const job = (name: string, retry: boolean): FailedJob => ({
  ...{ id: 1, name, url: "", class: "flaky", by: "agent", cause: "", evidence: "" },
  ...{ retry, again: false, tests: [], tail: "" },
});

function attempt(
  base: string,
  commit: string | null,
  verdict: Diagnosed["verdict"],
  more: Partial<Attempt> = {},
): Attempt {
  const diagnosed = { verdict, pipeline: null, jobs: [], failed: [], tries: 0, worse: [] };
  const kind = verdict === "rollback" ? ("rollback" as const) : ("repair" as const);
  const made = commit === null ? null : { kind, title: commit, summary: "", patch: "p" };
  return { base, commit, diagnosed, made, asked: false, ...more };
}

const repair = (base: string, commit: string | null, more: Partial<Attempt> = {}) =>
  attempt(base, commit, "repair", more);

describe("tries", () => {
  it.each<[string, Attempt[], { used: number; tries: (string | null)[]; last: string | null }]>([
    ["none", [], { used: 0, tries: [], last: null }],
    ["one that made the head", [repair("a", "d")], { used: 1, tries: ["d"], last: "d" }],
    ["two in a row", [repair("b", "d"), repair("a", "b")], { used: 2, tries: ["d", "b"], last: "d" }],
    ["one that pushed nothing", [repair("d", null)], { used: 1, tries: [null], last: null }],
    [
      "one that pushed nothing, after one that did",
      [repair("d", null), repair("a", "d")],
      { used: 2, tries: [null, "d"], last: "d" },
    ],
    ["a rollback", [attempt("b", "d", "rollback"), repair("a", "b")], { used: 2, tries: ["d", "b"], last: "d" }],
    ["somebody else's commit in between", [repair("a", "b")], { used: 0, tries: [], last: null }],
    ["and one further back", [repair("c", "d"), repair("a", "b")], { used: 1, tries: ["d"], last: "d" }],
    [
      "verdicts that are no tries",
      [attempt("d", null, "explain"), attempt("d", null, "retry")],
      { used: 0, tries: [], last: null },
    ],
    [
      "a person who asked begins anew",
      [repair("c", "d"), repair("b", "c", { asked: true }), repair("a", "b")],
      { used: 2, tries: ["d", "c", "b"], last: "d" },
    ],
  ])("%s", (_name, attempts, expected) => {
    const { used, tries, last } = pastOf("d", attempts);
    expect({ used, tries: tries.map(({ commit }) => commit), last: last?.commit ?? null }).toEqual(expected);
  });
});

describe("jobs that were run once more", () => {
  const again = (base: string): Attempt => {
    const { diagnosed, ...rest } = attempt(base, null, "retry");
    return { ...rest, diagnosed: { ...diagnosed, failed: [job("e2e", true), job("lint", false)] } };
  };
  it("count at this commit", () => {
    expect([...pastOf("d", [again("d")]).retried]).toEqual(["e2e"]);
  });
  it("do not count at another one", () => {
    expect([...pastOf("d", [repair("c", "d"), again("c")]).retried]).toEqual([]);
  });
});

it("knows what was said last, silence left out", () => {
  const attempts = [attempt("d", null, "left"), attempt("d", null, "handover"), repair("c", "d")];
  expect(pastOf("d", attempts).said).toBe("handover");
  expect(pastOf("x", attempts).said).toBeNull();
});
