/** A database of one's own on the test server. */
import { inject } from "vitest";
import { silentLog } from "../../src/platform/log.ts";
import { openDatabase } from "../../src/store/database.ts";
import type { Database } from "../../src/store/queryable.ts";
import { createTestDatabase } from "./postgres.ts";

/** Opens a fresh, migrated database. Close it when done. */
export async function openTestDatabase(): Promise<Database> {
  return openDatabase({ url: await createTestDatabase(inject("postgresUrl")), directory: "", log: silentLog });
}
