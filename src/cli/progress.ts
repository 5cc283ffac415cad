/** A run's progress as lines for a terminal. */
import { styleText } from "node:util";
import { z } from "zod";
import type { ProgressRow } from "../store/steps.ts";

const Turn = z.object({
  agent: z.string(),
  said: z.string(),
  tools: z.array(z.object({ tool: z.string(), subject: z.string(), result: z.string() })),
});
const Effect = z.object({ kind: z.string(), outcome: z.string(), url: z.string() });
const Step = z.object({ step: z.string() });
const End = z.object({ state: z.string(), reason: z.string() });
const Wait = z.object({ reason: z.string() });
const Retry = z.object({ reason: z.string(), delayMs: z.number() });

const about: Readonly<Record<string, string>> = {
  preflight: "see whether GitLab would take the work",
  understand: "read the ticket, say what it means",
  plan: "decide how",
  implement: "write the change, run the tests, repair",
  "self-review": "read the change as a reviewer would",
  verify: "run the tests again, show every criterion",
  publish: "push the branch, open the draft merge request",
  document: "write the page",
  report: "tell the ticket",
};

const verbs: Readonly<Record<string, string>> = {
  "jira.status": "status comment",
  "jira.note": "comment",
  "jira.transition": "ticket status",
  "jira.labels": "labels",
  "jira.remoteLink": "link on the ticket",
  "gitlab.branch": "branch",
  "gitlab.mergeRequest": "draft merge request",
  "confluence.page": "page",
};

/** A tool call in a few words. */
function gist(tool: string, subject: string): string {
  const short = subject.length > 60 ? `${subject.slice(0, 59)}…` : subject;
  return short === "" ? tool : `${tool} ${short}`;
}

/** How a command ended, from the first line of what the agent was told. */
function ending(tool: string, result: string): string {
  if (tool !== "run") return "";
  const exit = /exit (\d+)/.exec(result)?.[1];
  if (exit === undefined) return "";
  return exit === "0" ? styleText("green", "  passed") : styleText("red", `  failed (exit ${exit})`);
}

/** @param startedAt milliseconds since 1970 from which the clock in front of the lines counts */
export function progressLines(row: ProgressRow, startedAt: number): string[] {
  const seconds = ((row.createdAt.getTime() - startedAt) / 1000).toFixed(1).padStart(5);
  const at = styleText("dim", `${seconds} s`);
  switch (row.kind) {
    case "step.started": {
      const { step } = Step.parse(row.data);
      return [`${at}  ${styleText("bold", step)} ${styleText("dim", about[step] ?? "")}`];
    }
    case "turn": {
      const turn = Turn.parse(row.data);
      const said = turn.said === "" ? [] : [`${at}    ${styleText("cyan", turn.agent)}: ${turn.said}`];
      const done = turn.tools
        .filter(({ tool }) => tool !== "finish")
        .map(
          ({ tool, subject, result }) => `${at}      ${styleText("dim", gist(tool, subject))}${ending(tool, result)}`,
        );
      return [...said, ...done];
    }
    case "effect": {
      const { kind, outcome, url } = Effect.parse(row.data);
      return [`${at}    ${styleText("green", "✓")} ${verbs[kind] ?? kind} ${outcome} ${styleText("dim", url)}`];
    }
    case "run.retry": {
      const { reason, delayMs } = Retry.parse(row.data);
      return [`${at}    ${styleText("yellow", "again")} in ${Math.round(delayMs / 1000)} s: ${reason}`];
    }
    case "run.waiting": {
      const { reason } = Wait.parse(row.data);
      return [`${at}  ${styleText("yellow", "waiting")}: ${reason}`];
    }
    case "run.ended": {
      const { state, reason } = End.parse(row.data);
      return [`${at}  ${styleText("bold", state)}${reason === "" ? "" : `: ${reason}`}`];
    }
    default:
      return [];
  }
}
