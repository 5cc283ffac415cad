/** Effects on a Confluence space. */
import type { Effect, Ensured } from "../domain/effect.ts";
import { UserError } from "../domain/errors.ts";
import type { Door } from "./door.ts";
import { passGate, passLine } from "./gate.ts";

const pageLength = 100_000;

/** Marker of the page about a subject. */
export function markerOfPage(subject: string): string {
  return `page:${subject}`;
}

export async function ensureInConfluence(
  door: Door,
  effect: Extract<Effect, { kind: "confluence.page" }>,
): Promise<Ensured> {
  if (door.writers.pages === null) {
    throw new UserError(
      `A page for ${effect.subject} was wanted in space ${effect.space}, but no Confluence is configured: set CONFLUENCE_BASE_URL.`,
    );
  }
  const rules = { allowedHosts: door.allowedHosts, mentions: [], maxLength: pageLength, target: "confluence" as const };
  return door.writers.pages.ensurePage({
    space: effect.space,
    parentTitle: effect.parentTitle,
    marker: markerOfPage(effect.subject),
    title: passLine(effect.title, 200),
    body: passGate(effect.body, rules).body,
    labels: effect.labels,
    versionMessage: passLine(effect.versionMessage, 200),
  });
}
