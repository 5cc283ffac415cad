/** The shapes of the API, for programs of other people: fields are added here, never renamed or taken away. */
import { z } from "zod";
import { potKinds } from "../../domain/budget.ts";
import { Effect, effectStates, outcomes, Ref } from "../../domain/effect.ts";
import { senders, verdicts } from "../../domain/event.ts";
import { Gate, RunState, Target } from "../../domain/run.ts";

/** Everything that the OpenAPI document names; the id is the name there. */
export const components = z.registry<{ id: string }>();

const time = z.iso.datetime();

/** Id of a run as it may stand in an address. */
export const runId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "is not the id of a run");

export const RunAnswer = z
  .object({
    id: z.string(),
    workflow: z.string(),
    target: Target,
    state: RunState,
    step: z.string().describe("The step that is next or under way"),
    waitingFor: Gate.nullable(),
    requestedBy: z.string(),
    cancelRequested: z.boolean(),
    reason: z.string().nullable().describe("Why it ended or waits, for people"),
    costUsd: z.number(),
    tokens: z.number().int(),
    notBefore: time.nullable(),
    createdAt: time,
    updatedAt: time,
    endedAt: time.nullable(),
  })
  .register(components, { id: "Run" });

export const StepAnswer = z
  .object({
    step: z.string(),
    state: z.enum(["started", "produced", "done"]).describe("produced: its effects are being performed"),
    output: z.unknown().describe("What the step keeps for the later ones; null before it returned"),
    startedAt: time,
    endedAt: time.nullable(),
  })
  .register(components, { id: "Step" });

export const EffectAnswer = z
  .object({
    key: z.string(),
    step: z.string(),
    name: z.string(),
    state: z.enum(effectStates),
    outcome: z.enum(outcomes).nullable(),
    ref: Ref.nullable(),
    attempts: z.number().int(),
    error: z.string().nullable(),
    effect: Effect,
  })
  .register(components, { id: "Effect" });

export const RunDetail = z
  .object({ run: RunAnswer, steps: z.array(StepAnswer), effects: z.array(EffectAnswer) })
  .register(components, { id: "RunDetail" });

export const RunList = z.object({ runs: z.array(RunAnswer) }).register(components, { id: "RunList" });

export const TurnAnswer = z
  .object({
    step: z.string(),
    agent: z.string(),
    turn: z.number().int().describe("Counted from 1 for each agent"),
    model: z.string(),
    inputTokens: z.number().int(),
    cachedTokens: z.number().int(),
    outputTokens: z.number().int(),
    costUsd: z.number(),
    record: z.unknown().describe("The messages that this turn added, how long it took and how it finished"),
  })
  .register(components, { id: "Turn" });

export const Transcript = z.object({ turns: z.array(TurnAnswer) }).register(components, { id: "Transcript" });

export const ProgressAnswer = z
  .object({
    kind: z
      .string()
      .describe("step.started, step.done, turn, effect, run.retry, run.waiting, budget.raised, run.ended …"),
    data: z.record(z.string(), z.unknown()),
    createdAt: time,
  })
  .register(components, { id: "Progress" });

export const DeliveryAnswer = z
  .object({
    id: z.string(),
    key: z.string(),
    sender: z.enum(senders),
    kind: z.string().describe("In the sender's words, e.g. jira:issue_updated"),
    verdict: z.enum(verdicts),
    reason: z.string(),
    runId: z.string().nullable(),
    receivedAt: time,
  })
  .register(components, { id: "Delivery" });

export const DeliveryList = z
  .object({ deliveries: z.array(DeliveryAnswer) })
  .register(components, { id: "DeliveryList" });

const amount = z.number().describe("US dollars");

export const BudgetAnswer = z
  .object({
    kind: z.enum(potKinds).describe("run ⊂ ticket ⊂ project per day ⊂ total per month"),
    subject: z.string().describe("The run, ticket or project; empty for the total"),
    period: z.string().nullable().describe("Day or month in UTC; null for a run and a ticket"),
    limits: z
      .object({ usd: amount, tokens: z.number().nullable(), turns: z.number().nullable() })
      .describe("With what people have added; null: no limit of its own"),
    spent: z.object({ usd: amount, tokens: z.number().int(), turns: z.number().int() }),
    reserved: z.object({ usd: amount, tokens: z.number().int() }).describe("Held for model calls that are under way"),
    raisedUsd: amount.describe("What people have added to the limit, US dollars"),
  })
  .register(components, { id: "Budget" });

export const BudgetList = z.object({ budgets: z.array(BudgetAnswer) }).register(components, { id: "BudgetList" });

export const ProblemAnswer = z
  .object({ type: z.string(), title: z.string(), status: z.number().int(), detail: z.string() })
  .register(components, { id: "Problem" });

export const OpenApiAnswer = z
  .looseObject({ openapi: z.literal("3.1.0") })
  .register(components, { id: "OpenApiDocument" });
