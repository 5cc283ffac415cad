/** First step: read the ticket and the code, and say on the ticket what was understood and when it counts as done. */
import type { z } from "zod";
import { analyst } from "../agents/analyst.ts";
import { dataSection } from "../agents/data.ts";
import type { EffectDraft } from "../domain/effect.ts";
import type { Ticket } from "../domain/ticket.ts";
import { render } from "../platform/template.ts";
import { understood } from "./outputs.ts";
import { readGuide, readRules } from "./rules/guide.ts";
import { runAgent } from "./run-agent.ts";
import { statusComment } from "./status.ts";
import type { Step } from "./step.ts";

/** The ticket as a section of a prompt. Comments of ours are left out: they are the bot's own words. */
export function ticketSection(ticket: Ticket, selfId: string): string {
  const comments = ticket.comments
    .filter((comment) => comment.author.id !== selfId)
    .map((comment) => `${comment.author.name}, ${comment.createdAt}:\n${comment.body}`);
  const text = [`${ticket.key} (${ticket.type}): ${ticket.summary}`, ticket.description, ...comments].join("\n\n");
  return dataSection(`Ticket ${ticket.key}`, text, { markdown: true });
}

export const understand: Step<z.infer<typeof understood.output>> = {
  ...understood,

  async announce(context) {
    const { ticket } = context.run.target;
    const started = context.services.policy.statuses.started;
    const effects: EffectDraft[] = [
      {
        name: "hello",
        effect: {
          kind: "jira.status",
          ticket,
          body: statusComment(context, { state: "working", headline: "I am reading the ticket and the code" }),
        },
      },
    ];
    if (started !== null) {
      effects.push({ name: "started", effect: { kind: "jira.transition", ticket, status: started } });
    }
    return effects;
  },

  async execute(context) {
    const { run, services } = context;
    const ticket = await services.tickets.readTicket(run.target.ticket);
    const self = await services.tickets.whoAmI();
    const repository = await services.code.readProject(run.target.repository);
    const targetBranch = run.target.targetBranch ?? repository.defaultBranch;
    const workspace = await services.workspaces.open({ runId: run.id, project: repository, branch: targetBranch });
    const rules = await readRules(context, repository, { workspace, branch: targetBranch });
    const guide = await readGuide(workspace);
    const { output: understanding } = await runAgent(context, analyst, {
      ticket,
      workspace,
      task: render("prompts/tasks/analyst.md", { ticket: ticketSection(ticket, self.id) }),
    });
    const output = {
      understanding,
      ticket: { key: ticket.key, url: ticket.url, summary: ticket.summary },
      repository,
      targetBranch,
      base: workspace.base,
      rules,
      guide,
    };
    const asks = understanding.questions.length > 0;
    const body = statusComment(context, {
      state: asks ? "needs_human" : "working",
      headline: asks ? "Some questions first" : "Understood, now I plan and write the change",
      step: asks ? null : "plan",
      understanding,
      needs: asks ? "Answers to the open questions below, in a comment or in the description" : null,
    });
    return {
      output,
      effects: [{ name: "understood", effect: { kind: "jira.status", ticket: ticket.key, body } }],
      next: asks
        ? { kind: "end", state: "needs_human", reason: understanding.questions.join(" ") }
        : { kind: "continue" },
    };
  },
};
