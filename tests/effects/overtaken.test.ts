/** What a paused worker wrote too late is put right by what the ledger says was written last. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Effect, EffectDraft, LedgerRow } from "../../src/domain/effect.ts";
import type { Run } from "../../src/domain/run.ts";
import { mendOvertaken } from "../../src/effects/overtaken.ts";
import { listEffects, markSent, planEffects, settle } from "../../src/store/ledger.ts";
import type { Database } from "../../src/store/queryable.ts";
import { claimRun, insertRun } from "../../src/store/runs.ts";
import { openTestDatabase } from "../support/database.ts";

let database: Database;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

let count = 0;
let run: Run;
beforeEach(async () => {
  count += 1;
  const target = { ticket: `SHOP-${count}`, project: "SHOP", repository: "acme/shop" };
  await insertRun(database, { id: `r${count}`, workflow: "deliver", step: "one", requestedBy: "mia", target });
  run = (await claimRun(database, `r${count}`, 60_000))!;
});

const status = (name: string): EffectDraft => ({
  name,
  effect: { kind: "jira.status", ticket: run.target.ticket, body: name },
});

/** Plans an effect in a step of its own and sends it, settled unless told otherwise. */
async function send(step: string, draft: EffectDraft, isSettled = true): Promise<LedgerRow> {
  await planEffects(database, run, step, [draft]);
  const row = (await listEffects(database, run.id)).find((one) => one.step === step)!;
  await markSent(database, run, row.key);
  if (isSettled) await settle(database, row.key, { outcome: "updated", ref: { id: "1", url: "" } });
  return row;
}

/** Mends after `row`; returns the texts that were written, in order. `during` happens while the first one is. */
async function mended(row: LedgerRow, during: () => Promise<unknown> = async () => {}): Promise<string[]> {
  const written: string[] = [];
  await mendOvertaken(database, row, async (effect: Effect) => {
    written.push("body" in effect ? effect.body : effect.kind);
    if (written.length === 1) await during();
  });
  return written;
}

test("the newest text of the same object is written again", async () => {
  const late = await send("one", status("I am reading the ticket"));
  await send("two", { name: "other", effect: { kind: "jira.transition", ticket: run.target.ticket, status: "Done" } });
  await send("three", status("Finished"));
  expect(await mended(late)).toEqual(["Finished"]);
});

test("a text that is being written by now counts, and one that comes in between too", async () => {
  const late = await send("one", status("first"));
  await send("two", status("second"), false);
  expect(await mended(late, () => send("three", status("third")))).toEqual(["second", "third"]);
});

test("a text that was never sent does not count", async () => {
  const late = await send("one", status("first"));
  await planEffects(database, run, "two", [status("planned")]);
  expect(await mended(late)).toEqual(["first"]);
});

test("labels are left alone", async () => {
  const labels: Effect = { kind: "jira.labels", ticket: run.target.ticket, add: ["a"], remove: [] };
  expect(await mended(await send("one", { name: "labels", effect: labels }))).toEqual([]);
});
