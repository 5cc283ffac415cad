/** The doors over real HTTP: what is answered, what is accepted, what is kept. */
import { createServer, request as httpRequest } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Event, IncomingDelivery } from "../../src/domain/event.ts";
import { silentLog } from "../../src/platform/log.ts";
import { createDoorHandler, createDoors } from "../../webhooks/doors.ts";
import {
  confluenceSecret,
  type Doors,
  fixture,
  gitlabToken,
  hubSignature,
  jiraSecret,
  openDoors,
  signingToken,
  standardSignature,
} from "./requests.ts";

let doors: Doors;
beforeAll(async () => {
  doors = await openDoors({ bodyLimitBytes: 200_000 });
});
afterAll(() => doors.close());

const signedByJira = (body: string | Buffer, more: Record<string, string> = {}): Record<string, string> => ({
  "x-hub-signature": hubSignature(jiraSecret, body),
  ...more,
});

/** Sends as Jira and gives back what was accepted. */
async function deliver(body: string | Buffer, headers: Record<string, string> = {}): Promise<IncomingDelivery> {
  const before = doors.accepted.length;
  const response = await doors.post("jira", body, signedByJira(body, headers));
  expect(response.status).toBe(202);
  expect(doors.accepted.length).toBe(before + 1);
  return doors.accepted.at(-1)!;
}

describe("an authentic delivery", () => {
  test("of Jira Cloud is accepted once, by its identifier", async () => {
    const body = fixture("jira", "ticket_labelled_cloud");
    const headers = signedByJira(body, {
      "x-atlassian-webhook-identifier": "7c1e",
      "x-atlassian-webhook-flow": "Primary",
    });
    const first = await doors.post("jira", body, headers);
    expect([first.status, await first.json()]).toEqual([202, { status: "accepted" }]);
    expect(doors.accepted.at(-1)).toMatchObject({
      sender: "jira",
      key: "jira:harbour.atlassian.net:7c1e",
      kind: "jira:issue_updated",
      body,
      parsed: { event: { type: "ticket.labelled", added: ["ticketsmith"] } },
    });
    const second = await doors.post("jira", body, { ...headers, "x-atlassian-webhook-retry": "1" });
    expect([second.status, await second.json()]).toEqual([202, { status: "duplicate" }]);
  });

  test("of Jira Data Center is named by what happened", async () => {
    const body = fixture("jira", "ticket_labelled_data_center");
    const first = await deliver(body);
    expect(first.key).toMatch(/^jira:harbour\.atlassian\.net:sha256:[0-9a-f]{64}$/);
    const reformatted = JSON.stringify(JSON.parse(body));
    const again = await doors.post("jira", reformatted, signedByJira(reformatted));
    expect(await again.json()).toEqual({ status: "duplicate" });
    const later = await deliver(body.replace("1772442000777", "1772442000778"));
    expect(later.key).not.toBe(first.key);
  });

  test("of GitLab with a token is named by the idempotency key", async () => {
    const body = fixture("gitlab", "note_on_merge_request");
    const headers = { "x-gitlab-token": gitlabToken, "x-gitlab-event": "Note Hook", "idempotency-key": "f5e5" };
    expect((await doors.post("gitlab", body, headers)).status).toBe(202);
    expect(doors.accepted.at(-1)).toMatchObject({
      key: "gitlab:f5e5",
      kind: "note",
      parsed: { event: { type: "mr.commented" } },
    });
    expect(await (await doors.post("gitlab", body, headers)).json()).toEqual({ status: "duplicate" });
  });

  test("of GitLab with a signature is named by the signed id, whatever the unsigned header says", async () => {
    const body = fixture("gitlab", "pipeline_of_merge_request_failed");
    const seconds = Math.floor(Date.now() / 1000);
    const headers = {
      "webhook-id": "a1b2",
      "webhook-timestamp": String(seconds),
      "webhook-signature": standardSignature(signingToken, "a1b2", seconds, body),
    };
    expect(await (await doors.post("gitlab", body, headers)).json()).toEqual({ status: "accepted" });
    expect(doors.accepted.at(-1)?.key).toBe("gitlab:a1b2");
    const renamed = await doors.post("gitlab", body, { ...headers, "idempotency-key": "new-name" });
    expect(await renamed.json()).toEqual({ status: "duplicate" });
  });

  test("of an old GitLab is named by its body", async () => {
    const body = fixture("gitlab", "branch_pushed");
    const headers = { "x-gitlab-token": gitlabToken };
    expect(await (await doors.post("gitlab", body, headers)).json()).toEqual({ status: "accepted" });
    expect(doors.accepted.at(-1)?.key).toMatch(/^gitlab:sha256:[0-9a-f]{64}$/);
    expect(await (await doors.post("gitlab", body, headers)).json()).toEqual({ status: "duplicate" });
  });

  test("of Confluence is accepted and ignored by name", async () => {
    const body = fixture("confluence", "page_updated");
    const response = await doors.post("confluence", body, { "x-hub-signature": hubSignature(confluenceSecret, body) });
    expect(response.status).toBe(202);
    expect(doors.accepted.at(-1)).toMatchObject({
      sender: "confluence",
      kind: "page_updated",
      parsed: { ignored: expect.any(String) },
    });
  });

  test("with an id longer than an index entry keeps a short key", async () => {
    const { key } = await deliver("{}", { "x-atlassian-webhook-identifier": "x".repeat(5000) });
    expect(key).toMatch(/^jira:harbour\.atlassian\.net:sha256:[0-9a-f]{64}$/);
  });
});

describe("an odd body, authentic all the same, is 202", () => {
  const deep = (levels: number): string =>
    `{"webhookEvent":"worklog_created","x":${"[".repeat(levels)}${"]".repeat(levels)}}`;

  test.each([
    ["nothing", "", "the body is empty"],
    ["blanks", " \n ", "the body is empty"],
    ["text", "labelled, please", "the body is not JSON"],
    ["half an object", '{"webhookEvent":', "the body is not JSON"],
    ["a bare NUL", '{"a":"\0"}', "the body is not JSON"],
    ["an unclosed string", '{"a":"\\"', "the body is not JSON"],
    ["65 levels", deep(64), "the JSON is nested more than 64 levels deep"],
    ["50,000 levels", deep(50_000), "the JSON is nested more than 64 levels deep"],
    ["50,000 levels, never closed", "[".repeat(50_000), "the JSON is nested more than 64 levels deep"],
    ["a list", "[1]", "webhookEvent: the message has no name"],
    ["null", "null", "webhookEvent: the message has no name"],
  ])("%s", async (name, body, unsupported) => {
    const delivery = await deliver(body, { "x-atlassian-webhook-identifier": `odd ${name}` });
    expect(delivery.parsed).toEqual({ unsupported });
    expect(delivery.kind).toBe("unknown");
    expect(delivery.body).not.toContain("\0");
  });

  test.each([
    ["64 levels", deep(63)],
    ["brackets in a string", `{"webhookEvent":"worklog_created","x":"${"[".repeat(500)}"}`],
    ["brackets after an escaped quote", `{"webhookEvent":"worklog_created","x":"\\"${"[{".repeat(500)}"}`],
    ["a backslash at the end of a string", `{"webhookEvent":"worklog_created","x":"\\\\","y":"${"[".repeat(500)}"}`],
    ["a byte order mark", `\ufeff{"webhookEvent":"worklog_created"}`],
    ["a key twice, the last one counts", `{"webhookEvent":"x","webhookEvent":"worklog_created"}`],
    ["numbers out of range", `{"webhookEvent":"worklog_created","x":1e999,"y":123456789012345678901234567890}`],
  ])("%s is read", async (name, body) => {
    const delivery = await deliver(body, { "x-atlassian-webhook-identifier": `read ${name}` });
    expect(delivery.parsed).toEqual({ ignored: "work logs are not our business" });
    expect(delivery.body).toBe(body);
  });

  test("keys that poison prototypes do nothing", async () => {
    const issue = { key: "FERRY-1", fields: { labels: ["a"] } };
    const text = JSON.stringify({ webhookEvent: "jira:issue_created", issue });
    const poison = `"__proto__":{"admin":true,"accountId":"x"},"constructor":{"prototype":{"admin":true}},`;
    const body = text.replace("{", `{${poison}`).replace('"issue":{', `"issue":{${poison}`);
    const { parsed } = await deliver(body);
    expect(parsed).toEqual({
      event: { type: "ticket.created", ticket: "FERRY-1", project: "FERRY", actor: null, labels: ["a"] },
    });
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });

  test("a kind made to break a log is one short line", async () => {
    const { kind } = await deliver(JSON.stringify({ webhookEvent: `a\nERROR forged \u001b[31m${"x".repeat(5000)}` }));
    expect(kind).toMatch(/^a ERROR forged {2}\[31mx+$/);
    expect(kind.length).toBe(100);
  });
});

describe("what is turned away", () => {
  test.each(["jira", "gitlab", "confluence"] as const)(
    "%s without proof: 401, counted, nothing stored",
    async (sender) => {
      const [accepted, rejected] = [doors.accepted.length, doors.rejected.length];
      const response = await doors.post(sender, '{"a":1}');
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ status: "rejected" });
      expect(doors.accepted.length).toBe(accepted);
      expect(doors.rejected.slice(rejected)).toEqual([{ sender, reason: expect.any(String), bytes: 7 }]);
    },
  );

  test.each(["GET", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"])("%s: 405", async (method) => {
    const response = await fetch(`${doors.url}/webhooks/jira`, { method });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });

  test("a sender without a secret, or that nobody knows: 404", async () => {
    const only = await openDoors({ gitlab: undefined as never, confluence: undefined as never });
    expect((await only.post("gitlab", "{}", { "x-gitlab-token": gitlabToken })).status).toBe(404);
    expect((await only.post("confluence", "{}")).status).toBe(404);
    expect((await only.post("github", "{}")).status).toBe(404);
    expect((await only.post("__proto__", "{}")).status).toBe(404);
    expect(only.accepted).toEqual([]);
    await only.close();
  });

  test("too large, as announced: 413", async () => {
    const body = Buffer.alloc(200_001, 0x20);
    const response = await doors.post("jira", body, signedByJira(body));
    expect(response.status).toBe(413);
  });

  test("exactly as large as allowed: taken", async () => {
    await deliver(Buffer.alloc(200_000, 0x20));
  });

  test("too large without saying so: 413, and the connection stays good", async () => {
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(`${doors.url}/webhooks/jira`, { method: "POST" }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on("error", reject);
      for (let i = 0; i < 30; i += 1) request.write(Buffer.alloc(10_000, 0x20));
      request.end();
    });
    expect(status).toBe(413);
  });

  test("a sender that hangs up half way leaves nothing behind", async () => {
    const accepted = doors.accepted.length;
    const { hostname, port } = new URL(doors.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write('POST /webhooks/jira HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"webhook');
        setImmediate(() => socket.destroy());
      });
      socket.on("close", () => resolve());
    });
    await deliver('{"webhookEvent":"worklog_created","after":"the hang-up"}');
    expect(doors.accepted.length).toBe(accepted + 1);
  });
});

describe("packed bodies", () => {
  const text = fixture("jira", "ticket_transitioned_with_translated_field_name");

  test("gzip is unpacked; the signature is that of what was packed", async () => {
    const response = await doors.post("jira", gzipSync(text), signedByJira(text, { "content-encoding": "gzip" }));
    expect(response.status).toBe(202);
    expect(doors.accepted.at(-1)).toMatchObject({ body: text, parsed: { event: { type: "ticket.transitioned" } } });
  });

  test("a gzip bomb: 413, and never unpacked in full", async () => {
    const bomb = gzipSync(Buffer.alloc(100_000_000));
    expect(bomb.length).toBeLessThan(200_000);
    const before = process.memoryUsage().arrayBuffers;
    const response = await doors.post("jira", bomb, signedByJira(bomb, { "content-encoding": "gzip" }));
    expect(response.status).toBe(413);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  });

  test("what says gzip and is not: 400", async () => {
    expect((await doors.post("jira", text, signedByJira(text, { "content-encoding": "gzip" }))).status).toBe(400);
  });

  test.each(["br", "deflate", "gzip, gzip", "x"])("%s: 415", async (encoding) => {
    const packed = brotliCompressSync(text);
    const headers = signedByJira(text, { "content-encoding": encoding });
    expect((await doors.post("jira", packed, headers)).status).toBe(415);
  });
});

describe("when it cannot be stored", () => {
  test("503 with Retry-After and a line in the log, so that Jira sends again", async () => {
    const lines: unknown[] = [];
    const failing = await openDoors({
      accept: () => Promise.reject(new Error("the disk is full")),
      log: { ...silentLog, error: (message, fields) => lines.push([message, fields]) },
    });
    const body = fixture("jira", "ticket_deleted_cloud");
    const response = await failing.post("jira", body, signedByJira(body, { "x-atlassian-webhook-identifier": "9" }));
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "30"]);
    expect(await response.text()).not.toContain("disk");
    expect(lines).toMatchObject([
      ["A delivery could not be stored", { sender: "jira", delivery: "jira:harbour.atlassian.net:9" }],
    ]);
    await failing.close();
  });

  test("the answer waits for the commit", async () => {
    let commit = (): void => {};
    const committed = new Promise<void>((resolve) => {
      commit = resolve;
    });
    let asked = (): void => {};
    const reached = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const slow = await openDoors({
      accept: async () => {
        asked();
        await committed;
        return { duplicate: false };
      },
    });
    let answered = false;
    const answer = slow.post("jira", "{}", signedByJira("{}")).then((response) => {
      answered = true;
      return response.status;
    });
    await reached;
    expect(answered).toBe(false);
    commit();
    expect(await answer).toBe(202);
    await slow.close();
  });
});

describe("the plain handler", () => {
  const seen: string[] = [];
  const handler = createDoorHandler({
    jira: { secrets: [jiraSecret], site: "harbour.atlassian.net" },
    accept: async (delivery) => {
      seen.push(delivery.kind);
      return { duplicate: false };
    },
    reject: () => {
      throw new Error("the counter is broken");
    },
    log: silentLog,
  });
  const server = createServer((request, response) => {
    void (handler(request, response) ?? response.writeHead(418).end());
  });
  const ask = async (path: string, headers: Record<string, string>): Promise<number> => {
    const { port } = server.address() as AddressInfo;
    const body = '{"webhookEvent":"worklog_created"}';
    return (await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body, headers })).status;
  };
  const signed = signedByJira('{"webhookEvent":"worklog_created"}');
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  test.each([
    ["/webhooks/jira", 202],
    ["/webhooks/jira/", 202],
    ["/webhooks/jira?issue=FERRY-1", 202],
    ["/webhooks/gitlab", 404],
    ["/webhooks/jirafe", 418],
    ["/webhooks/jira/more", 418],
    ["/webhooks", 418],
    ["/", 418],
    ["/x/webhooks/jira", 418],
  ])("%s: %i", async (path, status) => {
    expect(await ask(path, signed)).toBe(status);
  });

  test("a mistake of ours is 500, which Jira takes for a reason to send again", async () => {
    expect(await ask("/webhooks/jira", {})).toBe(500);
    expect(seen.length).toBe(3);
  });
});

test("an empty secret stops the bot from starting", () => {
  const accept = async () => ({ duplicate: false });
  const build = (secrets: string[]) => () => createDoors({ jira: { secrets, site: "s" }, accept, log: silentLog });
  expect(build([])).toThrow("JIRA_WEBHOOK_SECRET");
  expect(build([""])).toThrow("JIRA_WEBHOOK_SECRET");
  expect(build(["x"])).not.toThrow();
});

test("many at once are all answered, each key once", async () => {
  const keys = Array.from({ length: 200 }, (_, i) => `storm-${i % 20}`);
  const body = fixture("jira", "ticket_assigned_cloud");
  const statuses = await Promise.all(
    keys.map(async (key) => {
      const response = await doors.post("jira", body, signedByJira(body, { "x-atlassian-webhook-identifier": key }));
      return ((await response.json()) as { status: string }).status;
    }),
  );
  expect(statuses.filter((status) => status === "accepted").length).toBe(20);
  expect(statuses.filter((status) => status === "duplicate").length).toBe(180);
  const assigned: Event["type"][] = doors.accepted.flatMap((d) => ("event" in d.parsed ? [d.parsed.event.type] : []));
  expect(assigned.filter((type) => type === "ticket.assigned").length).toBe(20);
});
