/** How the roles around the developer are played by a model that does its work: read, then hand over. */
import { gzipSync } from "node:zlib";
import type { z } from "zod";
import type { ChangeClaim, PageDraft, Plan, QaReport, Understanding } from "../../../domain/handoff.ts";
import type { Review } from "../../../domain/review.ts";
import { type Asked, callsOf, results } from "../policy.ts";
import type { WrittenTurn } from "../scenario.ts";
import { call, change, changedPaths, type Files, isTest, type Work } from "./work.ts";

/** Plays one role. */
export type Role = (asked: Asked, work: Work) => WrittenTurn;

/** The last turn of an agent. The type ties the answers here to the hand-offs of the house. */
export function finish(
  output:
    | z.input<typeof Understanding>
    | z.input<typeof Plan>
    | z.input<typeof ChangeClaim>
    | z.input<typeof QaReport>
    | z.input<typeof Review>
    | z.input<typeof PageDraft>,
  say?: string,
): WrittenTurn {
  return { ...(say === undefined ? {} : { say }), calls: [{ tool: "finish", arguments: { ...output } }] };
}

/** At most this many files are read in one turn. */
const mostRead = 6;

function reading(paths: readonly string[]): WrittenTurn["calls"] {
  return paths.slice(0, mostRead).map((path) => call("read_file", { path }));
}

/** Criteria as an understanding may have them; the title where the task names none. */
function criteriaOf(work: Work): string[] {
  const given = work.criteria.map((text) => text.slice(0, 300)).slice(0, 12);
  return given.length > 0 ? given : [work.title.slice(0, 300)];
}

/** Files of the start that the work is about, as far as the answer tells. */
function subjects(work: Work): string[] {
  const touched = changedPaths(work.start, work.solution ?? {}).filter((path) => work.start[path] !== undefined);
  return touched.length > 0 ? touched : Object.keys(work.start).filter((path) => !isTest(path));
}

export const analyst: Role = (asked, work) => {
  if (asked.turn === 0) {
    return { say: "I read the ticket and look at the code.", calls: [call("read_ticket", {}), call("list_files", {})] };
  }
  const [first] = subjects(work);
  if (asked.turn === 1 && first !== undefined) return { calls: [call("read_file", { path: first })] };
  return finish({ summary: work.title, kind: "feature", acceptanceCriteria: criteriaOf(work) });
};

export const planner: Role = (asked, work) => {
  const paths = subjects(work);
  if (asked.turn === 0 && paths.length > 0) return { calls: reading(paths) };
  return finish({
    approach: `Change ${paths.slice(0, mostRead).join(", ") || "the code"} so that every criterion is met, and show each by a test.`,
    files: paths.slice(0, 40).map((path) => ({ path, change: "what the criteria ask for" })),
  });
};

export const writer: Role = (asked, work) => {
  const paths = subjects(work);
  if (asked.turn === 0 && paths.length > 0) return { calls: reading(paths.slice(0, 1)) };
  return finish({
    title: work.title.slice(0, 120),
    summary: `${work.title}.`,
    sections: [
      {
        heading: "What changes",
        markdown: criteriaOf(work)
          .map((text) => `- ${text}`)
          .join("\n"),
      },
    ],
  });
};

/** Whether the last command of the conversation ended well, as the tool told it. */
export function passed(asked: Asked): boolean {
  return results(asked).some((text) => /command #\d+ exit 0\b/.test(text));
}

/** The same finding on every criterion. */
export function reportOn(
  work: Work,
  finding: Omit<z.input<typeof QaReport>["criteria"][number], "criterion">,
): z.input<typeof QaReport> {
  return { criteria: criteriaOf(work).map((_, index) => ({ criterion: index + 1, ...finding })) };
}

/** Runs the tests once and says of every criterion what they showed. */
const hastyQa: Role = (asked, work) => {
  if (asked.turn === 0) return { say: "I run the tests.", calls: [call("run", { argv: work.test })] };
  const met = passed(asked);
  return finish(
    reportOn(work, {
      verdict: met ? "met" : "not_met",
      command: 1,
      evidence: met ? "The tests that exercise it pass" : "The tests fail",
    }),
  );
};

/** Longest argument of a command that the tools take. */
const longestArgument = 20_000;

/** A program that lays the tests of the criteria over the tree and runs them; null when they do not fit into an argument. */
function ownTests({ check }: Work): string | null {
  const json = JSON.stringify(check.files);
  const packed = gzipSync(json).toString("base64");
  const unpacking = `JSON.parse(require("node:zlib").gunzipSync(Buffer.from("${packed}", "base64")))`;
  const scripts = [json, unpacking].map((files) =>
    [
      'const fs = require("node:fs"), path = require("node:path");',
      `for (const [name, text] of Object.entries(${files})) {`,
      "  fs.mkdirSync(path.dirname(name), { recursive: true });",
      "  fs.writeFileSync(name, text);",
      "}",
      `const [program, ...argv] = ${JSON.stringify(check.command)};`,
      'const { status } = require("node:child_process").spawnSync(program, argv, { stdio: "inherit" });',
      "process.exitCode = status ?? 1;",
    ].join("\n"),
  );
  return scripts.find((script) => script.length <= longestArgument) ?? null;
}

/** Does not rely on the tests that are there: runs some of its own for the criteria, which fail without the change, and says what they showed. */
export const qa: Role = (asked, work) => {
  const script = ownTests(work);
  if (script === null) return hastyQa(asked, work);
  if (asked.turn === 0) {
    const calls = [call("run", { argv: work.test }), call("run", { argv: ["node", "-e", script] })];
    return { say: "I run the tests, and some of my own for the criteria.", calls };
  }
  const met = results(asked).some((text) => /command #2 exit 0\b/.test(text));
  return finish(
    reportOn(work, {
      verdict: met ? "met" : "not_met",
      command: 2,
      evidence: met ? "Tests of my own pass" : "Tests of my own fail",
    }),
  );
};

/** Has nothing against the change. */
export const reviewer: Role = () => finish({ findings: [] });

/** Brings the tree to `answer`, runs the tests, and says what came out. */
export function developerTowards(answer: (work: Work) => Files): Role {
  return (asked, work) => {
    const goal = answer(work);
    const paths = changedPaths(work.start, goal);
    const there = paths.filter((path) => work.start[path] !== undefined);
    if (asked.turn === 0) {
      const calls = [call("list_files", { depth: 3 }), ...(reading(there) ?? [])];
      return { say: "First I read the code that changes.", calls };
    }
    if (asked.turn === 1) {
      return {
        say: "I make the change.",
        calls: paths.map((path) => change(path, work.start[path], goal[path] ?? "")),
      };
    }
    // An edit that was refused is made by writing the whole file.
    const refused = results(asked).some((text) => text.startsWith("refused:"));
    if (asked.turn === 2 && refused && callsOf(asked, "run") === 0) {
      return { calls: paths.map((path) => call("write_file", { path, content: goal[path] ?? "" })) };
    }
    if (callsOf(asked, "run") === 0) return { say: "I run the tests.", calls: [call("run", { argv: work.test })] };
    return finish({
      title: work.title.slice(0, 120),
      summary: passed(asked) ? `${work.title}. All tests pass.` : `${work.title}. The tests do not pass.`,
      files: paths,
      tests: paths.filter(isTest),
    });
  };
}
