/** Append-only migrations: every `migrations/NNNN_name.sql` is applied once, in order, by whichever process comes first. */
import { readdir, readFile } from "node:fs/promises";
import type { Database } from "./queryable.ts";

const directory = new URL("./migrations/", import.meta.url);

/** Advisory lock key of our migrations ("TKSM"); any other process waits on it until the schema is there. */
const lockKey = 0x544b534d;

/** Brings schema `ticketsmith` up to date in one transaction: all of the missing migrations, or none. */
export async function migrate(database: Database): Promise<void> {
  const files = (await readdir(directory)).filter((name) => name.endsWith(".sql")).sort();
  await database.transaction(async (tx) => {
    await tx.query("select pg_advisory_xact_lock($1)", [lockKey]);
    await tx.query("create schema if not exists ticketsmith");
    await tx.query(
      "create table if not exists ticketsmith.migrations (name text primary key, applied_at timestamptz not null default now())",
    );
    const applied = await tx.query<{ name: string }>("select name from ticketsmith.migrations");
    const known = new Set(applied.rows.map((row) => row.name));
    for (const name of files.filter((file) => !known.has(file))) {
      await tx.query(await readFile(new URL(name, directory), "utf8"));
      await tx.query("insert into ticketsmith.migrations (name) values ($1)", [name]);
    }
  });
}
