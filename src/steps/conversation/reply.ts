/** Only step of the workflow `answer`: what can be said at once is said, and what a person decided is done. */
import { z } from "zod";
import type { EffectDraft } from "../../domain/effect.ts";
import type { InstantAnswer } from "../../domain/run.ts";
import { usualLevels } from "../../platform/merge-request-policy.ts";
import { render } from "../../platform/template.ts";
import type { Step, StepContext } from "../step.ts";
import { acknowledge, answer } from "./answer.ts";

/** Who may give a command, in words. */
function mayWords(context: StepContext, command: string): string {
  const name = command as keyof typeof usualLevels;
  const who = context.services.policy.mergeRequests.commands[name] ?? { level: usualLevels[name], groups: [] };
  return [who.level, ...who.groups].filter((word) => word !== undefined).join(", ");
}

/** The write that a person has decided on, bound to the commit that they saw. */
function decision(context: StepContext, { about, detail: sha }: InstantAnswer): EffectDraft[] {
  const { repository, mergeRequest } = context.run.target;
  if (mergeRequest === undefined) return [];
  const at = { repository, iid: mergeRequest.iid, sha };
  if (about === "approved") return [{ name: "ready", effect: { kind: "gitlab.ready", ...at } }];
  if (about !== "merged") return [];
  // GitLab does not merge a draft.
  return [
    { name: "ready", effect: { kind: "gitlab.ready", ...at } },
    { name: "merge", effect: { kind: "gitlab.merge", ...at } },
  ];
}

export const reply: Step<{ about: string }> = {
  name: "reply",
  output: z.object({ about: z.string() }),

  async announce(context) {
    return acknowledge(context);
  },

  async execute(context) {
    const { answer: given, request } = context.run.target;
    if (given === undefined || request === undefined) throw new Error("there is nothing to answer");
    const { raiseUsd } = context.services.policy.budgets;
    const body = render("gitlab/answer.md", {
      about: given.about,
      detail: given.detail,
      runs: given.runs,
      may: request.command !== undefined && request.command in usualLevels ? mayWords(context, request.command) : "",
      most: raiseUsd,
    });
    return {
      output: { about: given.about },
      effects: [...decision(context, given), answer(context, body.trim())],
      next: { kind: "continue" },
    };
  },
};
