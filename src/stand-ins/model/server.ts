/**
 * A scripted model behind the OpenAI wire formats: GET /v1/models, POST /v1/chat/completions, POST /v1/responses.
 *
 * It keeps no state, so that retries and crashes get the same answer again: which agent asks, about which ticket and in which
 * turn is read from the request alone. (The one exception are oddities with `times`, which count how often they struck.)
 */
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Handler,
  type Route,
  type StandIn,
  type StandInReply,
  type StandInRequest,
  startStandIn,
} from "../server.ts";
import { readChatRequest, writeChat, writeChatStream } from "./chat.ts";
import { answer, type Conversation, locate, type Place } from "./conversation.ts";
import type { Policy } from "./policy.ts";
import { errorReply, Refused } from "./refusal.ts";
import { readResponsesRequest, writeResponse, writeResponseStream } from "./responses.ts";
import { type CheckedScenario, checkScenario, loadScenarios, type Scenario, type Turn } from "./scenario.ts";

export type { Asked, Policy } from "./policy.ts";
export type { Scenario } from "./scenario.ts";

export interface ModelStandInOptions {
  /** Directory with one YAML file per ticket. */
  readonly scenarioDirectory?: string;
  /** Scenarios given as objects; they win over a file for the same ticket. */
  readonly scenarios?: readonly Scenario[];
  /** Programs instead of scenarios, by ticket (`*`: every other one). Asked again for a repeated request, so they keep no state either. */
  readonly policies?: Readonly<Record<string, Policy>>;
  /** The only bearer key that is let in. */
  readonly apiKey: string;
  /** Time before every answer, milliseconds. */
  readonly latencyMs?: number;
  readonly port?: number;
}

export interface ModelStandIn extends StandIn {
  /** What clients take as OPENAI_BASE_URL, e.g. `http://127.0.0.1:40123/v1`. */
  readonly baseUrl: string;
  /** Requests that no scenario has an answer for, in words. A test fails on them. */
  readonly unexpected: string[];
}

/** An answer in both forms: one JSON body, or the text of each server-sent event. */
interface Written {
  readonly whole: unknown;
  readonly events: readonly string[];
}

/** A wire format: reads a request, and says how an answer to it is written. */
type Format = (body: unknown) => { conversation: Conversation; write: (turn: Turn) => Written };

const chat: Format = (body) => {
  const conversation = readChatRequest(body);
  const write = (turn: Turn): Written => {
    const said = answer(conversation, turn);
    const events = writeChatStream(said, conversation.includeUsage).map((data) => `data: ${data}\n\n`);
    return { whole: writeChat(said), events };
  };
  return { conversation, write };
};

const responses: Format = (body) => {
  const conversation = readResponsesRequest(body);
  const write = (turn: Turn): Written => {
    const said = answer(conversation, turn);
    const events = writeResponseStream(said, conversation.request);
    return {
      whole: writeResponse(said, conversation.request),
      events: events.map((event) => `event: ${String(event.type)}\ndata: ${JSON.stringify(event)}\n\n`),
    };
  };
  return { conversation, write };
};

/** The turn with nothing odd about it, once its oddities have struck as often as they should. */
function calm(turn: Turn): Turn {
  return { calls: turn.calls, ...(turn.say === undefined ? {} : { say: turn.say }) };
}

/** Breaks the connection after half of the bytes. */
function cut(response: ServerResponse, contentType: string, text: string): void {
  response.writeHead(200, { "content-type": contentType, "content-length": String(Buffer.byteLength(text)) });
  response.write(text.slice(0, Math.floor(text.length / 2)), () => response.destroy());
}

async function stream(response: ServerResponse, events: readonly string[]): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  for (const event of events.slice(0, -1)) {
    response.write(event);
    // Lets the events leave one by one, as they would from a model that is still writing.
    await new Promise((resolve) => setImmediate(resolve));
  }
  // No pause after the last one: a client that has read it must find its request in the log.
  response.end(events.at(-1));
}

async function deliver(
  turn: Turn,
  written: Written,
  wantsStream: boolean,
  response: ServerResponse,
): Promise<StandInReply | "taken"> {
  if (turn.status !== undefined) {
    const headers: Record<string, string> =
      turn.retryAfter === undefined ? {} : { "retry-after": String(turn.retryAfter) };
    return errorReply(turn.status, `The scenario answers ${turn.status} here.`, { headers });
  }
  if (turn.raw !== undefined) {
    const type = /^\s*[{[]/.test(turn.raw) ? "application/json" : "text/html";
    return { status: 200, headers: { "content-type": type }, body: turn.raw };
  }
  if (turn.cut === true) {
    if (wantsStream) cut(response, "text/event-stream; charset=utf-8", written.events.join(""));
    else cut(response, "application/json", JSON.stringify(written.whole));
    return "taken";
  }
  if (!wantsStream) return { status: 200, body: written.whole };
  await stream(response, written.events);
  return "taken";
}

/** Starts the stand-in. Throws UserError when a scenario is wrong. */
export async function startModel(options: ModelStandInOptions): Promise<ModelStandIn> {
  const files = options.scenarioDirectory === undefined ? [] : await loadScenarios(options.scenarioDirectory);
  const given = (options.scenarios ?? []).map((scenario, i) => checkScenario(scenario, `scenarios[${i}]`));
  const scenarios = new Map<string, CheckedScenario>(
    [...files, ...given].map((scenario) => [scenario.ticket, scenario]),
  );
  const policies = new Map(Object.entries(options.policies ?? {}));
  const unexpected: string[] = [];
  const struck = new Map<string, number>();

  function turnNow({ ticket, agent, number, turn }: Place): Turn {
    if (turn.times === undefined) return turn;
    const key = `${ticket}/${agent}/${number}`;
    const count = (struck.get(key) ?? 0) + 1;
    struck.set(key, count);
    return count <= turn.times ? turn : calm(turn);
  }

  const guarded =
    (handler: Handler): Handler =>
    async (request, response) => {
      const refusal = refuseKey(request, options.apiKey);
      if (refusal !== undefined) return refusal;
      try {
        return await handler(request, response);
      } catch (error) {
        if (error instanceof Refused)
          return errorReply(error.status, error.message, { param: error.param, code: error.code });
        throw error;
      }
    };

  const complete = (format: Format): Handler =>
    guarded(async (request, response) => {
      const { conversation, write } = format(request.body);
      const place = locate(conversation, scenarios, policies);
      if (typeof place === "string") {
        unexpected.push(place);
        // The real service tells clients in this header whether another try makes sense.
        return errorReply(500, place, { headers: { "x-should-retry": "false" } });
      }
      const turn = turnNow(place);
      const wait = (options.latencyMs ?? 0) + (turn.delayMs ?? 0);
      if (wait > 0) await sleep(wait);
      return deliver(turn, write(turn), conversation.stream, response);
    });

  const routes: Route[] = [
    ["GET", "/v1/models", guarded(() => ({ status: 200, body: { object: "list", data: [modelCard] } }))],
    ["POST", "/v1/chat/completions", complete(chat)],
    ["POST", "/v1/responses", complete(responses)],
  ];
  const standIn = await startStandIn(routes, options.port === undefined ? {} : { port: options.port });
  return Object.assign(standIn, { baseUrl: `${standIn.url}/v1`, unexpected });
}

const modelCard = { id: "scripted", object: "model", created: 1_700_000_000, owned_by: "ticketsmith" };

function refuseKey(request: StandInRequest, apiKey: string): StandInReply | undefined {
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  if (given === apiKey) return undefined;
  if (given === undefined) return errorReply(401, "You didn't provide an API key.");
  const shown = `${given.slice(0, 3)}***`;
  return errorReply(401, `Incorrect API key provided: ${shown}.`, { code: "invalid_api_key" });
}
