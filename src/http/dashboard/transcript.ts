/** The transcript as the page shows it: one conversation per start of an agent. */
import { z } from "zod";
import { asCount, asUsd } from "../../platform/template-text.ts";
import type { TurnRow } from "../../store/steps.ts";
import { clip, duration } from "./words.ts";

const Message = z.union([
  z.object({ role: z.enum(["system", "user"]), text: z.string() }),
  z.object({
    role: z.literal("assistant"),
    text: z.string(),
    toolCalls: z.array(z.object({ id: z.string(), name: z.string(), arguments: z.string() })).catch([]),
  }),
  z.object({ role: z.literal("tool"), callId: z.string(), text: z.string() }),
]);
type Message = z.infer<typeof Message>;

/** As `runs/context.ts` writes it; what has another shape is shown as nothing rather than breaking the page. */
const Turn = z.object({
  added: z.array(z.unknown()).catch([]),
  durationMs: z.number().catch(0),
  error: z.string().nullable().catch(null),
});

export interface Entry {
  readonly kind: "system" | "user" | "assistant" | "call" | "result" | "error";
  readonly title: string;
  readonly text: string;
  readonly cut: boolean;
  /** Whether it is folded away at first. */
  readonly folded: boolean;
}

export interface Conversation {
  /** Unique on the page, so that what a reader has opened stays open. */
  readonly id: string;
  readonly agent: string;
  readonly step: string;
  readonly summary: string;
  readonly entries: readonly Entry[];
}

/** Characters of one text on the page; the API has all of it. */
const maxText = 12_000;

function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // Models write broken JSON now and then, and a reader wants to see just that.
    return text;
  }
}

function entry(kind: Entry["kind"], title: string, whole: string, folded = false): Entry {
  return { kind, title, folded, ...clip(whole, maxText) };
}

function entriesOf(message: Message, tools: Map<string, string>): Entry[] {
  switch (message.role) {
    case "system":
      return [entry("system", "System prompt", message.text, true)];
    case "user":
      return [entry("user", "Task", message.text, message.text.length > 600)];
    case "tool":
      return [entry("result", `Result of ${tools.get(message.callId) ?? "a tool"}`, message.text, true)];
    case "assistant": {
      const said = message.text.trim() === "" ? [] : [entry("assistant", "Model", message.text)];
      for (const call of message.toolCalls) tools.set(call.id, call.name);
      return [...said, ...message.toolCalls.map((call) => entry("call", call.name, prettyJson(call.arguments)))];
    }
  }
}

function readConversation(turns: readonly TurnRow[], index: number): Conversation {
  const first = turns[0];
  const tools = new Map<string, string>();
  let ms = 0;
  const entries = turns.flatMap((row) => {
    const turn = Turn.safeParse(row.record).data;
    if (turn === undefined) return [];
    ms += turn.durationMs;
    const messages = turn.added.flatMap((raw) => Message.safeParse(raw).data ?? []);
    const error = turn.error === null ? [] : [entry("error", "This turn broke off", turn.error)];
    return [...messages.flatMap((message) => entriesOf(message, tools)), ...error];
  });
  const tokens = turns.reduce((sum, row) => sum + row.inputTokens + row.outputTokens, 0);
  const cost = turns.reduce((sum, row) => sum + row.costUsd, 0);
  const models = [...new Set(turns.map((row) => row.model).filter((name) => name !== ""))].join(", ");
  const count = turns.length === 1 ? "1 turn" : `${turns.length} turns`;
  return {
    id: `talk-${index + 1}`,
    agent: first?.agent ?? "",
    step: first?.step ?? "",
    summary: [count, duration(ms), `${asCount(tokens)} tokens`, asUsd(cost), models]
      .filter((x) => x !== "")
      .join(" · "),
    entries,
  };
}

/** Groups the turns: an agent that is started again (turn 1) begins a new conversation. */
export function readTranscript(turns: readonly TurnRow[]): Conversation[] {
  const groups: TurnRow[][] = [];
  for (const row of turns) {
    const last = groups.at(-1);
    const previous = last?.at(-1);
    const goesOn = previous?.agent === row.agent && previous.step === row.step && row.turn > previous.turn;
    if (last !== undefined && goesOn) last.push(row);
    else groups.push([row]);
  }
  return groups.map(readConversation);
}
