/** A database that is away is told apart from our own mistakes. */
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { Retryable } from "../../src/domain/errors.ts";
import { silentLog } from "../../src/platform/log.ts";
import { openDatabase } from "../../src/store/database.ts";
import { asOutage } from "../../src/store/outage.ts";
import type { Database } from "../../src/store/queryable.ts";
import { createTestDatabase } from "../support/postgres.ts";

describe("on a server", () => {
  let database: Database;
  let other: Database;
  beforeAll(async () => {
    const url = await createTestDatabase(inject("postgresUrl"));
    [database, other] = await Promise.all([
      openDatabase({ url, directory: "", log: silentLog }),
      openDatabase({ url, directory: "", log: silentLog }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([database.close(), other.close()]);
  });

  /** Cuts off whoever sleeps in this database, once somebody does. */
  async function cutSleeper(): Promise<void> {
    for (let cut = 0; cut === 0; ) {
      const { rowCount } = await other.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and state = 'active' and query like '%pg_sleep(60)'`,
      );
      cut = rowCount ?? 0;
    }
  }

  test("a query and a transaction that are cut off can be tried again", async () => {
    const query = expect(database.query("select pg_sleep(60)")).rejects.toThrow(Retryable);
    await cutSleeper();
    await query;
    const transaction = expect(database.transaction((tx) => tx.query("select pg_sleep(60)"))).rejects.toThrow(
      Retryable,
    );
    await cutSleeper();
    await transaction;
    await database.query("select 1");
  });

  test("a mistake of ours stays one", async () => {
    const mistake = await database.query("select 1/0").catch((error: unknown) => error);
    expect(mistake).not.toBeInstanceOf(Retryable);
    await expect(
      database.transaction(async () => {
        throw new RangeError("not about the database");
      }),
    ).rejects.toThrow(RangeError);
  });
});

test.each([
  ["a server that is down", { code: "ECONNREFUSED" }],
  ["a server that starts", { code: "57P03" }],
  ["a full disk", { code: "53100" }],
  ["a deadlock", { code: "40P01" }],
])("%s passes", (_, fields) => {
  expect(asOutage(Object.assign(new Error("…"), fields))).toBeInstanceOf(Retryable);
});

test.each([["23505"], ["42P01"], ["22P02"], [""]])("SQLSTATE %s does not", (code) => {
  const error = Object.assign(new Error("…"), { code });
  expect(asOutage(error)).toBe(error);
});
