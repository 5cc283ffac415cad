/** What killed processes leave behind goes, what living ones have stays. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { silentLog } from "../../src/platform/log.ts";
import { homeIn, removeAbandonedHomes } from "../../src/workspace/home.ts";

const root = mkdtempSync(path.join(os.tmpdir(), "ticketsmith-homes-"));
afterAll(() => rmSync(root, { recursive: true }));

function folder(name: string): string {
  mkdirSync(path.join(root, name, "runs/r1/tree"), { recursive: true });
  return path.join(root, name);
}

it("tells living processes, dead ones, recycled ids and other machines apart", async () => {
  const mine = folder(path.basename(homeIn(root)));
  const [host, namespace, , start] = path.basename(mine).split(".");
  const dead = folder(`${host}.${namespace}.${spawnSync("true").pid}.${start}`);
  const recycled = folder(`${host}.${namespace}.${process.pid}.1`);
  const elsewhere = folder(`other.${namespace}.${spawnSync("true").pid}.${start}`);
  const longAgo = folder(`gone.1.7.99`);
  const past = new Date(Date.now() - 72 * 3_600_000);
  for (const entry of [longAgo, path.join(longAgo, "runs")]) utimesSync(entry, past, past);

  await removeAbandonedHomes(root, silentLog);

  expect([mine, elsewhere].map(existsSync)).toEqual([true, true]);
  expect([dead, recycled, longAgo].map(existsSync)).toEqual([false, false, false]);
});

it("does nothing where there is no folder yet", async () => {
  await removeAbandonedHomes(path.join(root, "nowhere"), silentLog);
});
