/** A seed that failed once is tried again, first, for ever. */
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openFailingSeeds } from "./failing-seeds.ts";

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "ticketsmith-seeds-"));
  file = path.join(directory, "failing-seeds.json");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const held = (seed: number) => ({ name: "one", seed, wrong: [] });
const broken = (seed: number) => ({ name: "one", seed, wrong: ["a page exists twice"] });

test("what held leaves nothing behind", () => {
  expect(openFailingSeeds(file).keep("kills", [held(1), held(0)], [1])).toEqual([]);
  expect(existsSync(file)).toBe(false);
});

test("a seed that failed is kept and tried first, in its part only", () => {
  const seeds = openFailingSeeds(file);
  expect(seeds.keep("kills", [held(1), broken(7), broken(7)], [1, 7])).toEqual([7]);
  expect(seeds.keep("kills", [broken(4)], [4])).toEqual([4]);
  const later = openFailingSeeds(file);
  expect(later.first("kills", [1, 2, 4])).toEqual([7, 4, 1, 2]);
  expect(later.first("storms", [1])).toEqual([1]);
  expect(later.keep("kills", [held(7), held(4)], [7, 4])).toEqual([]);
  expect(openFailingSeeds(file).first("kills", [])).toEqual([7, 4]);
});

test("what no seed is to blame for speaks against all that were tried", () => {
  expect(openFailingSeeds(file).keep("kills", [held(1), broken(0)], [1, 2])).toEqual([1, 2]);
});

test("a file that somebody has spoilt is not taken for an empty one", async () => {
  await writeFile(file, '{"kills": ["seven"]}');
  expect(() => openFailingSeeds(file)).toThrow();
});
