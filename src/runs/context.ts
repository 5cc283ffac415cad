/** The world as one step of one run sees it. */
import { z } from "zod";
import { Permanent } from "../domain/errors.ts";
import type { Run } from "../domain/run.ts";
import type { Log } from "../platform/log.ts";
import type { ProjectPolicy } from "../platform/policy.ts";
import { looked } from "../steps/conversation/outputs.ts";
import { understood } from "../steps/outputs.ts";
import { noRules, withRules } from "../steps/rules/ticketsmith-file.ts";
import type { Services, StepContext } from "../steps/step.ts";
import { listEffects } from "../store/ledger.ts";
import type { Database } from "../store/queryable.ts";
import { addProgress, insertTurn, listSteps } from "../store/steps.ts";
import { limitsOf, openBudget } from "./budget.ts";
import { createHindsight, keptIn } from "./kept.ts";

/** The project's part of the policy as it is now; it may have been edited since the run began. */
function projectOf(run: Run, services: Services): ProjectPolicy {
  const project = services.policy.projects[run.target.project];
  if (project === undefined) {
    throw new Permanent(`project ${run.target.project} is no longer in the configuration`);
  }
  return project;
}

/** Reads what the run has done so far and builds the context of its current step. */
export async function createContext(options: {
  database: Database;
  run: Run;
  services: Services;
  signal: AbortSignal;
  log: Log;
  /** Told of every answer of a model, once its turn is kept. */
  onReply?: () => Promise<void>;
}): Promise<StepContext> {
  const { database, run, services, signal, log, onReply } = options;
  const steps = await listSteps(database, run.id);
  const effects = await listEffects(database, run.id);
  // What has passed since the run was claimed is counted by a clock that nobody sets.
  const begun = performance.now();
  const minutes = (): number => (run.workedMs + performance.now() - begun) / 60_000;
  const limits = limitsOf(services.policy.budgets);
  const { budget, spent, nearing } = await openBudget({ database, run, limits, minutes, signal });

  return {
    run,
    services,
    signal,
    log,
    get project() {
      // Both have the rules in the same place.
      const known = [looked.name, understood.name];
      const row = steps.find(({ step, state }) => known.includes(step) && state !== "started");
      const rules = row === undefined ? noRules : understood.output.parse(row.output).rules;
      return withRules(projectOf(run, services), rules);
    },
    get minutes() {
      return minutes();
    },
    spent,
    nearing,
    ...keptIn(steps, effects),
    ...createHindsight(database, run),
    budget,
    async onTurn(turn) {
      const saved = insertTurn(database, run.id, {
        step: run.step,
        agent: turn.agent,
        turn: turn.turn,
        record: {
          added: turn.added,
          durationMs: turn.durationMs,
          error: turn.error,
          finish: turn.reply?.finish ?? null,
        },
        model: turn.reply?.model ?? "",
        inputTokens: turn.reply?.usage.inputTokens ?? 0,
        cachedTokens: turn.reply?.usage.cachedTokens ?? 0,
        outputTokens: turn.reply?.usage.outputTokens ?? 0,
        costUsd: turn.reply?.costUsd ?? 0,
      });
      // Both at once: the next call of the model waits for them.
      await Promise.all([saved, addProgress(database, run.id, "turn", { step: run.step, ...glance(turn) })]);
      if (turn.reply !== null) await onReply?.();
    },
  };
}

type Turn = Parameters<StepContext["onTurn"]>[0];

/** As much of a turn as somebody who looks on wants to see. */
function glance(turn: Turn): Readonly<Record<string, unknown>> {
  const said = turn.added.findLast((message) => message.role === "assistant");
  const results = new Map(turn.added.flatMap((m) => (m.role === "tool" ? [[m.callId, m.text] as const] : [])));
  return {
    agent: turn.agent,
    turn: turn.turn,
    said: said?.text.slice(0, 300) ?? "",
    error: turn.error,
    tools: (said?.toolCalls ?? []).map((call) => ({
      tool: call.name,
      subject: subjectOf(call.arguments),
      result: results.get(call.id)?.slice(0, 300) ?? "",
    })),
  };
}

const Subject = z.object({ argv: z.array(z.string()), path: z.string(), pattern: z.string() }).partial();

/** What a tool call is about: the command, path or pattern among its arguments; empty when they cannot be read. */
function subjectOf(argumentsText: string): string {
  try {
    const { argv, path, pattern } = Subject.parse(JSON.parse(argumentsText));
    return (argv?.join(" ") ?? path ?? pattern ?? "").slice(0, 300);
  } catch {
    // The model wrote broken JSON; the transcript has it in full.
    return "";
  }
}
