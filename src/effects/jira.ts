/** Effects on a Jira ticket. */
import type { Effect, Ensured } from "../domain/effect.ts";
import type { Body } from "../domain/ports.ts";
import type { Door } from "./door.ts";
import { passGate, passLine } from "./gate.ts";

/** Jira refuses comments of more than 32,767 characters; ADF has none to spare for marks, so stay well under it. */
const commentLength = 20_000;

function commentBody(door: Door, markdown: string): Body {
  const rules = {
    allowedHosts: door.allowedHosts,
    mentions: [],
    maxLength: commentLength,
    target: "jira" as const,
  };
  return passGate(markdown, rules).body;
}

export function ensureInJira(
  door: Door,
  effect: Extract<
    Effect,
    { kind: "jira.status" | "jira.note" | "jira.transition" | "jira.labels" | "jira.remoteLink" }
  >,
): Promise<Ensured> {
  const { tickets } = door.writers;
  const { ticket } = effect;
  switch (effect.kind) {
    case "jira.status":
      return tickets.ensureComment({ ticket, marker: `status:${ticket}`, body: commentBody(door, effect.body) });
    case "jira.note": {
      const marker = `${effect.subject}:${ticket}`;
      return tickets.ensureComment({ ticket, marker, body: commentBody(door, effect.body) });
    }
    case "jira.transition":
      return tickets.ensureTransition({ ticket, status: effect.status });
    case "jira.labels":
      return tickets.ensureLabels({ ticket, add: effect.add, remove: effect.remove });
    case "jira.remoteLink":
      return tickets.ensureRemoteLink({
        ticket,
        globalId: effect.globalId,
        url: effect.url,
        title: passLine(effect.title, 255),
        relationship: effect.relationship,
      });
  }
}
