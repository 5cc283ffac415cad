import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silentLog } from "../../src/platform/log.ts";
import { openDatabase } from "../../src/store/database.ts";
import type { Database } from "../../src/store/queryable.ts";
import { handOver, requestCancel } from "../../src/store/runs.ts";
import { addProgress } from "../../src/store/steps.ts";
import { lease, seedQueued } from "./seed.ts";
import { startServer, type TestServer } from "./server.ts";

let database: Database;
let server: TestServer;

beforeAll(async () => {
  database = await openDatabase({ directory: ":memory:", log: silentLog });
  server = await startServer(database);
});

afterAll(async () => {
  await server.close();
  await database.close();
});

interface Event {
  readonly id: string | null;
  readonly kind: string;
  readonly data: Record<string, unknown>;
}

function parse(text: string): Event[] {
  return text
    .split("\n\n")
    .filter((block) => block.includes("data: "))
    .map((block) => ({
      id: /^id: (.*)$/m.exec(block)?.[1] ?? null,
      ...(JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? "") as { kind: string; data: Record<string, unknown> }),
    }));
}

/** Reads a stream until it has `count` events, then hangs up like a laptop that is closed. */
async function readSome(path: string, count: number, headers: Record<string, string> = {}): Promise<Event[]> {
  const hangUp = new AbortController();
  const response = await fetch(server.url + path, { headers, signal: hangUp.signal });
  let text = "";
  for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (parse(text).length >= count) break;
  }
  hangUp.abort();
  return parse(text);
}

async function end(id: string): Promise<void> {
  const run = await lease(database, id);
  await database.transaction(async (tx) => {
    await handOver(tx, run, { state: "done", progressed: true });
    await addProgress(tx, id, "run.ended", { state: "done", reason: "" });
  });
}

describe("the stream of a run", () => {
  test("tells what was, what comes, and ends with the run", async () => {
    await seedQueued(database, "rlive", "SHOP-1");
    await addProgress(database, "rlive", "step.started", { step: "understand", said: "one\n\ndata: two\r\n" });
    const whole = server.ask("/api/v1/runs/rlive/events");
    await addProgress(database, "rlive", "step.done", { step: "understand" });
    await end("rlive");
    const { status, headers, text } = await whole;
    expect(status).toBe(200);
    expect(headers["content-type"]).toContain("text/event-stream");
    expect(headers["cache-control"]).toBe("no-store");
    const events = parse(text);
    expect(events.map((event) => event.kind)).toEqual(["step.started", "step.done", "run.ended"]);
    expect(events[0]?.data.said).toBe("one\n\ndata: two\r\n");
  });

  test("goes on where a client was, without a gap and without repeating", async () => {
    await seedQueued(database, "rback", "SHOP-2");
    for (let n = 1; n <= 5; n += 1) await addProgress(database, "rback", "turn", { turn: n });
    const first = await readSome("/api/v1/runs/rback/events", 3);
    await addProgress(database, "rback", "turn", { turn: 6 });
    const seen = first[2]?.id ?? "";
    const second = await readSome("/api/v1/runs/rback/events", 3, { "last-event-id": seen });
    expect([...first.slice(0, 3), ...second].map((event) => event.data.turn)).toEqual([1, 2, 3, 4, 5, 6]);
    const third = await readSome(`/api/v1/runs/rback/events?after=${seen}`, 3);
    expect(third.map((event) => event.data.turn)).toEqual([4, 5, 6]);
  });

  test("is long: more rows than one query brings", async () => {
    await seedQueued(database, "rlong", "SHOP-3");
    await database.query(
      `insert into ticketsmith.progress (run_id, kind, data)
       select 'rlong', 'turn', jsonb_build_object('turn', n) from generate_series(1, 1200) n order by n`,
    );
    await end("rlong");
    const events = parse((await server.ask("/api/v1/runs/rlong/events")).text);
    expect(events).toHaveLength(1201);
    expect(events.at(-2)?.data.turn).toBe(1200);
    expect(events.at(-1)?.kind).toBe("run.ended");
  });

  test("sends a client away that comes back after the end", async () => {
    await seedQueued(database, "rover", "SHOP-4");
    await end("rover");
    const events = parse((await server.ask("/api/v1/runs/rover/events")).text);
    const back = await server.ask("/api/v1/runs/rover/events", { headers: { "last-event-id": events[0]?.id ?? "" } });
    expect([back.status, back.text]).toEqual([204, ""]);
  });

  test("ends for a run that was stopped before anybody worked on it", async () => {
    await seedQueued(database, "rgone", "SHOP-5");
    const whole = server.ask("/api/v1/runs/rgone/events");
    await requestCancel(database, "rgone", "not needed any more");
    const events = parse((await whole).text);
    expect(events).toMatchObject([{ id: null, kind: "run.ended", data: { state: "cancelled" } }]);
    expect(events[0]?.data.reason).toBe("not needed any more");
  });

  test("does not end at the end of an earlier attempt", async () => {
    await seedQueued(database, "ragain", "SHOP-6");
    await addProgress(database, "ragain", "run.ended", { state: "needs_human", reason: "" });
    await addProgress(database, "ragain", "step.started", { step: "plan" });
    const events = await readSome("/api/v1/runs/ragain/events", 2);
    expect(events.map((event) => event.kind)).toEqual(["run.ended", "step.started"]);
  });

  test("wants to know where to go on in numbers", async () => {
    await seedQueued(database, "rnum", "SHOP-10");
    expect((await server.ask("/api/v1/runs/rnum/events?after=x")).status).toBe(400);
    expect((await server.ask("/api/v1/runs/rnum/events", { method: "HEAD" })).status).toBe(200);
    const answer = await server.ask("/api/v1/runs/rnum/events", { headers: { "last-event-id": "1; drop" } });
    expect(answer.status).toBe(400);
    expect(answer.headers["content-type"]).toContain("application/problem+json");
  });
});
