/** Progress of a run as server-sent events (WHATWG HTML, section "Server-sent events"). */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Request, Response } from "express";
import { isEnd, type Run } from "../../domain/run.ts";
import { findRun } from "../../store/runs.ts";
import { Problem } from "../problem.ts";
import { readProgress } from "../records.ts";
import type { ApiServices } from "./route.ts";

/** How often the table is looked at, in milliseconds. */
const pollMs = 300;

/** A comment after this much silence keeps proxies from closing the connection; 30 s is a common limit. */
const heartbeatMs = 15_000;

/** Each stream asks the database three times a second; beyond this many somebody has forgotten to close theirs. */
const maxStreams = 100;
let openStreams = 0;

/** One event. JSON has no line ends in it, so `data` is one line. */
function eventText(data: unknown, id?: string): string {
  return `${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}

function idAfter(request: Request, fallback: string): string {
  const header = request.get("last-event-id");
  if (header === undefined || header === "") return fallback;
  if (!/^\d{1,18}$/.test(header)) throw new Problem(400, "Last-Event-ID: must be the id of an event of this run");
  return header;
}

/**
 * Sends the progress after `Last-Event-ID` (else after `afterId`) and what comes, until the run has ended.
 * The last event is always of kind `run.ended`. A client that has seen it and comes back gets 204, which tells an
 * EventSource to stay away.
 * @throws Problem 404 when there is no such run, 503 when too many streams are open
 */
export async function streamProgress(
  { database, log }: ApiServices,
  runId: string,
  afterId: string,
  request: Request,
  response: Response,
): Promise<void> {
  let last = idAfter(request, afterId);
  const run = await findRun(database, runId);
  if (run === null) throw new Problem(404, "There is no such run.");
  if (last !== "0" && isEnd(run.state) && (await readProgress(database, runId, last)).length === 0) {
    response.status(204).end();
    return;
  }
  if (openStreams >= maxStreams) {
    response.set("retry-after", "30");
    throw new Problem(503, "Too many event streams are open.");
  }
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const send = async (text: string): Promise<void> => {
    if (!response.write(text)) await once(response, "drain", { signal: gone.signal });
  };
  openStreams += 1;
  try {
    // x-accel-buffering: nginx would hold the events back.
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no" });
    if (request.method === "HEAD") {
      response.end();
      return;
    }
    await send("retry: 2000\n\n");
    let quietSince = Date.now();
    let lastKind = "";
    for (;;) {
      // The state first: what is written together with the end is then there to be read.
      const now = await findRun(database, runId);
      const rows = await readProgress(database, runId, last);
      for (const row of rows) {
        await send(eventText({ kind: row.kind, data: row.data, createdAt: row.createdAt }, row.id));
        last = row.id;
        lastKind = row.kind;
      }
      if (now === null || isEnd(now.state)) {
        if (lastKind !== "run.ended") await send(eventText(endOf(now)));
        response.end();
        return;
      }
      if (rows.length > 0) quietSince = Date.now();
      else if (Date.now() - quietSince >= heartbeatMs) {
        await send(": still here\n\n");
        quietSince = Date.now();
      }
      await sleep(pollMs, undefined, { signal: gone.signal });
    }
  } catch (error) {
    if (gone.signal.aborted) return;
    // The answer has begun, so no problem document can be sent. The client comes back and goes on where it was.
    log.warn("A stream of progress broke off", { run: runId, error });
    response.destroy();
  } finally {
    openStreams -= 1;
  }
}

/** For runs that were stopped while nobody worked on them: no row says that they ended. */
function endOf(run: Run | null): unknown {
  return {
    kind: "run.ended",
    data: { state: run?.state ?? "deleted", reason: run?.reason ?? "" },
    createdAt: run?.endedAt ?? new Date(),
  };
}
