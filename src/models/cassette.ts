/**
 * Recorded answers, so that a finished run can be done again without a model server: `record` keeps every answer in a folder, `replay`
 * gives them back and never asks anybody. `cache` gives an answer back when it was given to the very same request, character by
 * character, and asks otherwise: a step that is begun anew does not pay for its beginning again.
 *
 * When replaying, an answer is found by the whole request, or else by its place: role, task, and what the model itself has said so far. Results
 * of tools are not part of the place, since a test that takes 13 instead of 12 ms shall not end the replay.
 */
import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { messageOf, Permanent, UserError } from "../domain/errors.ts";
import type { Model, ModelReply, ModelRequest, Usage } from "../domain/ports.ts";
import type { Log } from "../platform/log.ts";
import { redact } from "../platform/redact.ts";

export interface CassetteOptions {
  readonly mode: "record" | "replay" | "cache";
  /** Where the answers are, a file each; made when missing. */
  readonly directory: string;
  /** What else an answer depends on, e.g. the names of the models. Other answers are not taken from the cache. */
  readonly models?: unknown;
  readonly log: Log;
}

const Reply = z.object({
  text: z.string(),
  toolCalls: z.array(z.object({ id: z.string(), name: z.string(), arguments: z.string() })),
  finish: z.enum(["stop", "tool_calls", "length", "refusal"]),
  usage: z.object({
    inputTokens: z.number(),
    cachedTokens: z.number(),
    outputTokens: z.number(),
    estimated: z.boolean(),
  }),
  costUsd: z.number(),
  model: z.string(),
});

const Recording = z.object({
  version: z.literal(1),
  /** For people: who asked, and what was new in the request. */
  role: z.string(),
  asked: z.array(z.string()),
  reply: Reply,
});

function hash(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
}

/** What differs between two runs of the same story: times, durations, addresses, ids of runs and commits. */
function withoutAccidents(text: string): string {
  return text
    .replace(/\bhttps?:\/\/[^\s/"')\]]+/g, "URL")
    .replace(/\b\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)?/g, "TIME")
    .replace(/\b\d+(?:\.\d+)? ?(?:ms|s)\b/g, "DURATION")
    .replace(/\b[0-9a-f]{7,64}\b/g, "ID");
}

const nothingUsed: Usage = { inputTokens: 0, cachedTokens: 0, outputTokens: 0, estimated: false };

interface Keys {
  readonly place: string;
  readonly exact: string;
  /** Answers that the model has given in this conversation. */
  readonly turn: number;
}

function keysOf(request: ModelRequest): Keys {
  const opening = request.messages.slice(0, 2).map(({ role, text }) => [role, withoutAccidents(text)]);
  const said = request.messages.flatMap((message) =>
    message.role === "assistant" ? [[message.text, message.toolCalls.map((call) => [call.name, call.arguments])]] : [],
  );
  const messages = request.messages.map((message) => ({ ...message, text: withoutAccidents(message.text) }));
  return {
    place: hash([request.role, opening, said]),
    exact: hash([request.role, messages, request.tools]),
    turn: said.length + 1,
  };
}

/** `developer-03-<place>-<exact>.json`: in a folder's listing a conversation reads from top to bottom. */
function nameOf(role: string, { place, exact, turn }: Keys): string {
  return `${role.replace(/[^\w-]/g, "_")}-${String(turn).padStart(2, "0")}-${place}-${exact}.json`;
}

/** What came since the model's last answer. */
function newest(request: ModelRequest): string[] {
  const last = request.messages.findLastIndex((message) => message.role === "assistant");
  return request.messages.slice(last + 1).map((message) => message.text);
}

async function keep(directory: string, name: string, request: ModelRequest, reply: ModelReply): Promise<void> {
  const recording: z.infer<typeof Recording> = {
    version: 1,
    role: request.role,
    asked: newest(request),
    reply: { ...reply, toolCalls: [...reply.toolCalls] },
  };
  const file = path.join(directory, name);
  const fresh = `${file}.${randomUUID()}`;
  await mkdir(directory, { recursive: true });
  await writeFile(fresh, `${redact(JSON.stringify(recording, null, 1))}\n`);
  // Whole or not at all: a run may be killed while it records.
  await rename(fresh, file);
}

/** The recording in a file; UserError when it is none of ours. */
async function readRecording(directory: string, name: string): Promise<ModelReply> {
  const parsed = Recording.safeParse(parse(await readFile(path.join(directory, name), "utf8")));
  if (!parsed.success) throw new UserError(`MODEL_CASSETTE: ${path.join(directory, name)} is not a recording of ours`);
  return parsed.data.reply;
}

async function find(directory: string, request: ModelRequest, log: Log): Promise<ModelReply> {
  const keys = keysOf(request);
  const names = await readdir(directory).catch((error: unknown) => {
    throw new UserError(`MODEL_CASSETTE: ${directory} cannot be read: ${messageOf(error)}`, { cause: error });
  });
  const here = names.filter((name) => name.endsWith(".json") && name.includes(`-${keys.place}-`)).sort();
  const name = here.find((each) => each.includes(`-${keys.exact}.`)) ?? here[0];
  if (name === undefined) {
    throw new Permanent(
      `nothing is recorded in ${directory} for turn ${keys.turn} of the ${request.role} on this task`,
    );
  }
  if (!name.includes(`-${keys.exact}.`))
    log.debug("replayed an answer that was given to other tool results", { file: name });
  return readRecording(directory, name);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Told with the file's name by the one who asked.
    return undefined;
  }
}

/**
 * A model that records what `model` answers, or replays what was recorded (usage and cost as they were then) without asking it.
 * When replaying, `complete` throws Permanent for a request that nothing was recorded for, and UserError for a folder or file that
 * cannot be read. Answers from the cache cost nothing, in tokens and in money. Failures of the model are not recorded.
 */
export function withCassette(model: Model, { mode, directory, models, log }: CassetteOptions): Model {
  /** The file for this request, and what is known already. */
  async function lookUp(request: ModelRequest): Promise<{ name: string; known: ModelReply | null }> {
    if (mode === "record") return { name: nameOf(request.role, keysOf(request)), known: null };
    const name = `cached-${hash([models, request])}${hash([request, models])}.json`;
    const known = existsSync(path.join(directory, name)) ? await readRecording(directory, name) : null;
    return { name, known: known && { ...known, usage: nothingUsed, costUsd: 0 } };
  }

  return {
    async complete(request, signal) {
      signal.throwIfAborted();
      if (mode === "replay") return find(directory, request, log);
      const { name, known } = await lookUp(request);
      if (known !== null) return known;
      const reply = await model.complete(request, signal);
      await keep(directory, name, request, reply);
      return reply;
    },
  };
}
