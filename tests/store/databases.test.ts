/** The two databases behave the same, and the embedded one guards its folder. */
import { fork } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { UserError } from "../../src/domain/errors.ts";
import { silentLog } from "../../src/platform/log.ts";
import { openDatabase } from "../../src/store/database.ts";
import { toJson } from "../../src/store/json.ts";
import type { Database } from "../../src/store/queryable.ts";
import { createTestDatabase } from "../support/postgres.ts";

const scratch = await mkdtemp(path.join(os.tmpdir(), "ticketsmith-store-"));
afterAll(() => rm(scratch, { recursive: true, force: true }));

describe.each(["postgres", "pglite"] as const)("%s", (kind) => {
  let db: Database;
  beforeAll(async () => {
    const url = kind === "postgres" ? await createTestDatabase(inject("postgresUrl")) : undefined;
    db = await openDatabase({ url, directory: path.join(scratch, kind), log: silentLog });
  });
  afterAll(() => db.close());

  test("gives the same types", async () => {
    const { rows, rowCount } = await db.query(
      "select 7::bigint as big, 1.5::float8 as float, true as yes, '{\"a\":[1]}'::jsonb as json, array['x'] as list, now() as now",
    );
    expect(rowCount).toBe(1);
    expect(rows[0]).toEqual({ big: "7", float: 1.5, yes: true, json: { a: [1] }, list: ["x"], now: expect.any(Date) });
  });

  test("takes text that Postgres itself would refuse, made harmless", async () => {
    const { rows } = await db.query<{ json: unknown }>("select $1::jsonb as json", [toJson({ a: "x\0y\ud800" })]);
    expect(rows[0]?.json).toEqual({ a: "x\uFFFDy\uFFFD" });
  });

  test("rolls a transaction back as a whole", async () => {
    await db.query("create table public.t (n int)");
    const broken = db.transaction(async (tx) => {
      await tx.query("insert into public.t values (1)");
      await tx.query("select no_such_function()");
    });
    await expect(broken).rejects.toMatchObject({ code: "42883" });
    expect((await db.query("select * from public.t")).rows).toEqual([]);
  });

  test("keeps a transaction apart from other queries", async () => {
    await db.query("create table public.u (n int)");
    let go = (): void => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const slow = db.transaction(async (tx) => {
      await tx.query("insert into public.u values (1)");
      await gate;
      throw new Error("changed my mind");
    });
    const others = Promise.all([1, 2, 3].map(() => db.query("insert into public.u values (2)")));
    go();
    await expect(slow).rejects.toThrow("changed my mind");
    await others;
    expect((await db.query("select n from public.u")).rows).toEqual([{ n: 2 }, { n: 2 }, { n: 2 }]);
  });

  test("says what is wrong without the values", async () => {
    await db.query("create table public.v (n int primary key)");
    await db.query("insert into public.v values (1)");
    const error: unknown = await db.query("insert into public.v values ($1)", [1]).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "23505", constraint: "v_pkey" });
    expect(error).not.toHaveProperty("params");
    expect(error).not.toHaveProperty("query");
  });
});

test("two processes may bring the same server up to date at once", async () => {
  const url = await createTestDatabase(inject("postgresUrl"));
  const opened = await Promise.all([1, 2, 3, 4].map(() => openDatabase({ url, directory: "", log: silentLog })));
  const { rows } = await opened[0]!.query("select name from ticketsmith.migrations order by name");
  expect(rows).toHaveLength((await readdir(path.resolve("src/store/migrations"))).length);
  await Promise.all(opened.map((db) => db.close()));
});

describe("the folder of the embedded database", () => {
  const directory = path.join(scratch, "locked");

  test("is refused to a second user while the first is there", async () => {
    const first = await openDatabase({ url: undefined, directory, log: silentLog });
    const second = openDatabase({ url: undefined, directory, log: silentLog });
    await expect(second).rejects.toThrow(UserError);
    await expect(second).rejects.toThrow(/in use by process \d+.*TICKETSMITH_DATA_DIR.*DATABASE_URL/s);
    await first.close();
    expect(await readdir(directory)).toEqual(["database"]);
  });

  test("is taken over from a process that died, with all that it had committed", async () => {
    const child = fork(path.resolve(import.meta.dirname, "commit-and-hang.ts"), [directory], { execArgv: [] });
    await new Promise((resolve) => child.once("message", resolve));
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    const db = await openDatabase({ url: undefined, directory, log: silentLog });
    expect((await db.query("select n from public.kept")).rows).toEqual([{ n: 42 }]);
    await db.close();
  });

  test("is taken over from a torn lock file", async () => {
    await writeFile(path.join(directory, "lock"), '{"pid": 1');
    const db = await openDatabase({ url: undefined, directory, log: silentLog });
    await db.close();
  });

  test("is begun anew when its making was cut off", async () => {
    const half = path.join(directory, "cut-off");
    await mkdir(path.join(half, "database"), { recursive: true });
    await writeFile(path.join(half, "database/PG_VERSION"), "18\n");
    await expect(openDatabase({ url: undefined, directory: half, log: silentLog })).rejects.toThrow(UserError);
    await writeFile(path.join(half, "database.making"), "");
    const db = await openDatabase({ url: undefined, directory: half, log: silentLog });
    await db.close();
    const again = await openDatabase({ url: undefined, directory: half, log: silentLog });
    expect((await again.query("select current_setting('TimeZone') as zone")).rows).toEqual([{ zone: "UTC" }]);
    await again.close();
  });
});
