/** What a step is: a function of its context that returns values. It writes nothing itself; `runs/advance.ts` does with the values. */
import { z } from "zod";
import type { AgentBudget, TurnRecord } from "../agents/agent.ts";
import type { Nearing } from "../domain/budget.ts";
import type { Dependencies } from "../domain/dependencies.ts";
import type { EffectDraft, Ref } from "../domain/effect.ts";
import type {
  CodeReader,
  Model,
  PageReader,
  ReviewReader,
  Sandbox,
  TicketReader,
  Workspaces,
} from "../domain/ports.ts";
import { endStates, Gate, type Run } from "../domain/run.ts";
import type { Log } from "../platform/log.ts";
import type { Policy, ProjectPolicy } from "../platform/policy.ts";

/** What happens after the step's effects are settled. */
export const Next = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("continue") }),
  z.object({ kind: z.literal("wait"), gate: Gate }),
  z.object({ kind: z.literal("end"), state: z.enum(endStates), reason: z.string() }),
]);
export type Next = z.infer<typeof Next>;

export interface StepResult<Output> {
  readonly output: Output;
  readonly effects: readonly EffectDraft[];
  readonly next: Next;
}

/** The parts of the world that steps may use; all of them read, or work inside the run's own workspace. */
export interface Services {
  readonly tickets: TicketReader;
  readonly code: CodeReader;
  readonly reviews: ReviewReader;
  readonly pages: PageReader | null;
  readonly model: Model;
  readonly workspaces: Workspaces;
  readonly sandbox: Sandbox;
  readonly dependencies: Dependencies;
  readonly policy: Policy;
  /** The most that so many tokens can cost in US dollars, whichever of a role's models answers. 0 for a model without a price. */
  readonly priceUsd: (role: string, inputTokens: number, outputTokens: number) => number;
  /** Address under which people reach this bot's own pages, for links to a run; empty when nobody has said. */
  readonly publicUrl: string;
}

/** What a run has kept so far. */
export interface Kept {
  /** Whether the step has run, so that its output is there. */
  has(step: Pick<Step, "name">): boolean;
  /** Checked output of an earlier step. Throws when that step has not run. */
  output<T>(step: Pick<Step<T>, "name" | "output">): T;
  /** Where an effect of an earlier step ended up, or null when it did not happen (e.g. no space configured). */
  ref(step: string, effect: string): Ref | null;
}

/** A run that has ended. */
export interface EarlierRun extends Kept {
  readonly run: Run;
}

export interface StepContext extends Kept {
  readonly run: Run;
  readonly project: ProjectPolicy;
  readonly services: Services;
  /** The newest runs of a workflow on the same merge request (or on its ticket) that have ended, at most 20, newest first. */
  earlier(workflow: string): Promise<readonly EarlierRun[]>;
  /** Whether a commit (full id) on a branch of the repository is one that we put there. */
  isOurs(commit: { readonly branch: string; readonly sha: string }): Promise<boolean>;
  /** Keeps a turn of an agent in the transcript. */
  onTurn(turn: TurnRecord): Promise<void>;
  /** What is left of the run's budget; agents ask it before every model call. */
  readonly budget: AgentBudget;
  /** Minutes that the run has been at work; waiting does not count. */
  readonly minutes: number;
  /** Cost and tokens of the run up to now, this step's calls included. */
  spent(): { costUsd: number; tokens: number };
  /** Limits of the run and its ticket that are nearly reached. */
  nearing(): readonly Nearing[];
  /** Aborted when the run is cancelled, the lease is lost or the process stops. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

export interface Step<Output = unknown> {
  readonly name: string;
  /** Shape of the output as it is kept in the database. */
  readonly output: z.ZodType<Output>;
  /** Effects that are performed before the step begins, so that people see that something is going on. */
  announce?(context: StepContext): Promise<readonly EffectDraft[]>;
  execute(context: StepContext): Promise<StepResult<Output>>;
}
