/** The one status comment of a ticket, rendered from what the run knows by now. */

import type { Understanding } from "../domain/handoff.ts";
import type { EndState } from "../domain/run.ts";
import { render } from "../platform/template.ts";
import { nearingWords } from "./budget-words.ts";
import { checkList } from "./check-list.ts";
import { documented, published, understood, verified } from "./outputs.ts";
import type { StepContext } from "./step.ts";

export interface StatusLine {
  /** `waiting` is for a person, `paused` for an outside system. */
  readonly state: "working" | "waiting" | "paused" | EndState;
  readonly headline: string;
  /** What is going on now, or where it stopped. */
  readonly step?: string | null;
  /** Given by the step that has just made it; later ones read it from the run. */
  readonly understanding?: Understanding;
  /** What a person must do. */
  readonly needs?: string | null;
  readonly hints?: string | null;
}

/** Markdown of the status comment. */
export function statusComment(context: StepContext, line: StatusLine): string {
  const checks = context.has(verified) ? context.output(verified) : null;
  const mergeRequest = context.ref("publish", "mergeRequest");
  const page = context.ref("document", "page");
  const { costUsd, tokens } = context.spent();
  return render("jira/status.md", {
    state: line.state,
    headline: line.headline,
    step: line.step ?? null,
    understanding: line.understanding ?? (context.has(understood) ? context.output(understood).understanding : null),
    proof: checks?.proof ?? null,
    tests: checks?.tests ?? null,
    checks: checks === null ? "" : checkList(context),
    mergeRequest: mergeRequest === null ? null : { title: context.output(published).title, url: mergeRequest.url },
    page: page === null ? null : { title: context.output(documented)?.title ?? "Page", url: page.url },
    commit: context.ref("publish", "branch")?.id ?? null,
    minutes: context.minutes,
    costUsd,
    tokens,
    runId: context.run.id,
    // Where the limit is reached, the headline says so.
    budget: line.state === "waiting" || line.state === "over_budget" ? [] : context.nearing().map(nearingWords),
    needs: line.needs ?? null,
    hints: line.hints ?? null,
  });
}
