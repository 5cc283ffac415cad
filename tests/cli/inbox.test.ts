/** `ticketsmith inbox` and `ticketsmith replay`, as an operator uses them. */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { stringify } from "yaml";
import { inbox } from "../../src/cli/inbox.ts";
import { replay } from "../../src/cli/replay.ts";
import type { IncomingDelivery } from "../../src/domain/event.ts";
import { silentLog } from "../../src/platform/log.ts";
import { type Acme, people, startAcme } from "../../src/stand-ins/acme/acme.ts";
import { openDatabase } from "../../src/store/database.ts";
import { decideDelivery, insertDeliveries, listDeliveries } from "../../src/store/deliveries.ts";
import type { Database } from "../../src/store/queryable.ts";
import { listRuns } from "../../src/store/runs.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { acmePolicy } from "../support/story.ts";

const cli = path.resolve(import.meta.dirname, "../../src/cli/ticketsmith.ts");
let acme: Acme;
let directory: string;
let url: string;
let database: Database;

/** A label of Mia's, which was ignored when it arrived. */
const labelled: IncomingDelivery = {
  sender: "jira",
  key: "jira:acme:1",
  kind: "jira:issue_updated",
  body: "{}",
  parsed: {
    event: {
      type: "ticket.labelled",
      ticket: "SHOP-1",
      project: "SHOP",
      actor: { id: people.mia.accountId, name: "Mia" },
      changeId: "10442",
      added: ["ticketsmith"],
    },
  },
};

beforeAll(async () => {
  acme = await startAcme();
  // The message counts only while the ticket says the same.
  acme.jira.createIssue({ project: "SHOP", summary: "Codes", labels: ["ticketsmith"], by: people.mia.accountId });
  directory = await mkdtemp(path.join(os.tmpdir(), "ticketsmith-inbox-"));
  await writeFile(path.join(directory, "policy.yaml"), stringify(acmePolicy));
  url = await createTestDatabase(inject("postgresUrl"));
  database = await openDatabase({ url, directory: "", log: silentLog });
  const odd = { ...labelled, key: "jira:acme:2", parsed: { unsupported: "what a\u001b[2Jmess\nthis is" } };
  await insertDeliveries(database, [labelled, odd]);
  await decideDelivery(database, "1", { verdict: "ignored", reason: "project SHOP is not in the configuration" });
});
afterAll(async () => {
  await database.close();
  await acme.close();
  await rm(directory, { recursive: true, force: true });
});

/** Runs the command with nothing in the environment but Acme's settings and the given ones. */
function ticketsmith(
  argv: readonly string[],
  settings: Readonly<Record<string, string>> = { DATABASE_URL: url },
): Promise<{ code: number | null; out: string; errors: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [cli, ...argv], {
      cwd: directory,
      env: { PATH: process.env.PATH, ...acme.variables, TICKETSMITH_CONFIG: "policy.yaml", ...settings },
    });
    let [out, errors] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.on("close", (code) => resolve({ code, out, errors }));
  });
}
const lines = (text: string): string[] => text.trimEnd().split("\n");

describe("inbox", () => {
  test("shows what arrived and why it came to nothing, fit for a terminal", async () => {
    const { code, out, errors } = await ticketsmith(["inbox"]);
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    expect(lines(out)).toEqual([
      expect.stringMatching(/^id +received \(UTC\) +sender +kind +verdict +run +reason$/),
      expect.stringMatching(
        /^2 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +jira +jira:issue_updated +unsupported +what a \[2Jmess this is$/,
      ),
      expect.stringMatching(/^1 .* ignored +project SHOP is not in the configuration$/),
    ]);
  });

  test("shows as much as was asked for", async () => {
    expect(lines((await ticketsmith(["inbox", "--limit", "1"])).out)).toHaveLength(2);
    const ignored = await ticketsmith(["inbox", "--verdict", "ignored"]);
    expect(lines(ignored.out).slice(1)).toEqual([expect.stringMatching(/^1 /)]);
    expect((await ticketsmith(["inbox", "--verdict", "rejected"])).out).toBe(
      "Nothing with verdict rejected has arrived yet.\n",
    );
  });

  test.each([
    [{ limit: "20", verdict: "lost" }, /--verdict is pending, handled/],
    [{ limit: "many" }, /--limit is a number/],
  ])("refuses %j", async (options, says) => {
    await expect(inbox(options)).rejects.toThrow(says);
  });

  test("says how to ask the bot that has the embedded database", async () => {
    const held = await openDatabase({ directory: path.join(directory, ".ticketsmith"), log: silentLog });
    try {
      const settings = { PORT: "3210", TICKETSMITH_API_KEY: "0123456789abcdef" };
      const { code, errors } = await ticketsmith(["inbox"], settings);
      expect(code).toBe(1);
      expect(errors).toMatch(/is in use by process/);
      expect(errors).toContain(
        'curl -H "Authorization: Bearer $TICKETSMITH_API_KEY" http://127.0.0.1:3210/api/v1/deliveries?limit=20',
      );
      const replaying = await ticketsmith(["replay", "7"], settings);
      expect(replaying.errors).toMatch(/curl -X POST .*\/api\/v1\/deliveries\/7\/replay/);
    } finally {
      await held.close();
    }
  });
});

describe("replay", () => {
  test("decides a delivery again, in a row of its own, and starts what it asks for once", async () => {
    const first = await ticketsmith(["replay", "1"]);
    expect({ code: first.code, errors: first.errors }).toEqual({ code: 0, errors: "" });
    const [run] = await listRuns(database, 10);
    expect(lines(first.out)[1]).toMatch(new RegExp(`handled +${run?.id} +started deliver$`));
    expect(run).toMatchObject({ state: "queued", requestedBy: people.mia.accountId });

    const again = await ticketsmith(["replay", "1"]);
    expect(lines(again.out)[1]).toMatch(new RegExp(`ignored +this change started run ${run?.id} already$`));
    const keys = (await listDeliveries(database, 10)).map(({ key, verdict }) => `${key} ${verdict}`);
    expect(keys).toEqual([
      "jira:acme:1#replay-2 ignored",
      "jira:acme:1#replay-1 handled",
      "jira:acme:2 unsupported",
      "jira:acme:1 ignored",
    ]);
  });

  test("reads anew what was not understood", async () => {
    const { out } = await ticketsmith(["replay", "2"]);
    expect(lines(out)[1]).toMatch(/unsupported +webhookEvent: the message has no name$/);
  });

  test("takes a body from a file, and knows whose it is", async () => {
    const issue = { id: "10002", key: "SHOP-2", fields: { project: { key: "SHOP" }, labels: ["ticketsmith"] } };
    const user = { accountId: people.otto.accountId, displayName: "Otto" };
    await writeFile(
      path.join(directory, "body.json"),
      JSON.stringify({ webhookEvent: "jira:issue_created", user, issue }),
    );
    const { code, out } = await ticketsmith(["replay", "body.json"]);
    expect(code).toBe(0);
    expect(lines(out)[1]).toMatch(/jira +jira:issue_created +ignored +Otto .*may not start runs$/);
    const asGitLab = await ticketsmith(["replay", "body.json", "--sender", "gitlab"]);
    expect(lines(asGitLab.out)[1]).toMatch(/gitlab .*unsupported/);
  });

  test("knows what is no delivery", async () => {
    const { code, errors } = await ticketsmith(["replay", "999"]);
    expect(code).toBe(1);
    expect(errors).toMatch(/There is no delivery 999/);
  });

  test.each([
    ["nowhere.json", {}, /"nowhere.json" is neither the id of a delivery nor a file/],
    [import.meta.filename, {}, /does not look like a webhook of anybody/],
    [import.meta.filename, { sender: "github" }, /--sender is jira, gitlab, confluence/],
  ])("refuses %s %j", async (subject, options, says) => {
    await expect(replay(subject, options)).rejects.toThrow(says);
  });
});
