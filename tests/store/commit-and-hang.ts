/** A process that commits something and then waits to be killed. */
import { silentLog } from "../../src/platform/log.ts";
import { openDatabase } from "../../src/store/database.ts";

const db = await openDatabase({ url: undefined, directory: process.argv[2] ?? "", log: silentLog });
await db.query("create table public.kept (n int)");
await db.query("insert into public.kept values (42)");
process.send?.("committed");
setInterval(() => {}, 1000);
