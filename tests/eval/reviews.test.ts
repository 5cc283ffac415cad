/** The bounded part of the review suite: who finds everything is credited with it, and no reviewer can make the bot noisy. */
import { mkdtemp } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { loadReviewCases, type ReviewCase } from "../../eval/review-case.ts";
import { type ReviewOutcome, reviewTotal, type SaidThread, scoreOf } from "../../eval/review-score.ts";
import { reviewCases } from "../../eval/review-suite.ts";
import { reviewTable } from "../../eval/review-table.ts";
import { silentLog } from "../../src/platform/log.ts";
import { createTestDatabase } from "../support/postgres.ts";

const suite = path.resolve(import.meta.dirname, "../../eval/review");
let cases: ReviewCase[] = [];

beforeAll(async () => {
  cases = await loadReviewCases(suite);
});

async function reviewedBy(model: string, wanted: (given: ReviewCase) => boolean): Promise<ReviewOutcome[]> {
  return reviewCases(cases.filter(wanted), {
    model,
    concurrency: 4,
    variables: { DATABASE_URL: await createTestDatabase(inject("postgresUrl")), PATH: process.env.PATH },
    policy: {},
    directory: await mkdtemp(path.join(os.tmpdir(), "ticketsmith-review-test-")),
    log: silentLog,
    say: () => undefined,
  });
}

const pushedTwice = ({ pushes }: ReviewCase): boolean => pushes.length > 1;

describe("scripted reviewers", { timeout: 240_000 }, () => {
  test("gold finds everything, says it once, and closes what was mended", async () => {
    const outcomes = await reviewedBy("scripted:gold", () => true);
    expect(outcomes.flatMap(({ trouble }) => trouble)).toEqual([]);
    const total = reviewTotal(outcomes);
    expect(total).toMatchObject({ recall: 1, precision: 1, repeats: 0, traps: 0 });
    expect(total.mended).toBeGreaterThan(2);
    expect(total.closed).toBe(total.mended);
    expect(reviewTable(outcomes)).toContain("recall 100 %, precision 100 %, 0 repeats");
  });

  test("a parrot is not repeated", async () => {
    const outcomes = await reviewedBy("scripted:parrot", pushedTwice);
    expect(outcomes.length).toBeGreaterThan(2);
    expect(reviewTotal(outcomes)).toMatchObject({ recall: 1, repeats: 0 });
  });

  test("a noisy one is cut down to ten threads a review", async () => {
    const outcomes = await reviewedBy("scripted:noisy", ({ name }) => /^(go-worker|rust-ring)/.test(name));
    for (const { threads } of outcomes) expect(threads).toBeLessThanOrEqual(10);
    expect(reviewTotal(outcomes)).toMatchObject({ repeats: 0 });
  });

  test("a blind one finds nothing", async () => {
    const outcomes = await reviewedBy("scripted:blind", ({ name }) => name.startsWith("sh-"));
    expect(reviewTotal(outcomes)).toMatchObject({ recall: 0, precision: 1, threads: 0 });
  });
});

describe("the score", () => {
  const given = (): ReviewCase => {
    const found = cases.find(({ name }) => name === "js-invoice-totals");
    if (found === undefined) throw new Error("the case is gone");
    return found;
  };
  const thread = (more: Partial<SaidThread> = {}): SaidThread => ({
    path: "src/invoice.js",
    line: 4,
    body: "**🔴 Major · correctness:** The loop is wrong",
    push: 0,
    resolved: false,
    ...more,
  });

  test("there are cases in many languages, each with something to fall for", () => {
    expect(cases.length).toBeGreaterThanOrEqual(8);
    expect(new Set(cases.map(({ language }) => language)).size).toBeGreaterThanOrEqual(6);
    expect(cases.filter(pushedTwice).length).toBeGreaterThanOrEqual(3);
  });

  test.each([
    ["on the line, by its kind", {}, 1],
    ["on the line, by a word", { body: "**🔴 Major · api:** undefined is read" }, 1],
    ["on the line, about something else", { body: "**🔴 Major · style:** I do not like it" }, 0],
    ["in another file", { path: "src/other.js" }, 0],
    ["far away", { line: 40 }, 0],
    ["nowhere", { line: null }, 0],
  ] as const)("a thread %s", (_name, more, right) => {
    expect(scoreOf(given(), [thread(more)])).toMatchObject({ right, found: right, threads: 1, repeats: 0 });
  });

  test("what is said again counts as a repeat, right or wrong", () => {
    const moved = thread({ push: 1, line: 7, body: "**🔴 Major · correctness:** The sum" });
    expect(scoreOf(given(), [thread(), thread()])).toMatchObject({ found: 1, repeats: 1 });
    const wrong = thread({ line: 5, body: "**🔴 Major · style:** Ugly" });
    expect(scoreOf(given(), [wrong, { ...wrong, push: 1, line: 8 }])).toMatchObject({ right: 0, repeats: 1 });
    expect(scoreOf(given(), [wrong, moved])).toMatchObject({ repeats: 0 });
  });

  test("a trap is told apart", () => {
    const caught = thread({ line: 7, body: "**🟡 Minor · style:** Use ===" });
    expect(scoreOf(given(), [caught])).toMatchObject({ traps: 1, right: 0 });
  });
});
