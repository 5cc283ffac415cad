/**
 * Leftovers: rows that are still `sent` although their run has ended, say because it was cancelled while the outside was down.
 * Whether they happened is looked up and written down. Nothing is written to the outside any more (a run that ended shall not open
 * a merge request hours later), with one exception: the last comment, by which people hear that the run ended.
 */
import type { Effect, Ref } from "../domain/effect.ts";
import { messageOf, Permanent, Retryable, UserError } from "../domain/errors.ts";
import type { CodeReader, PageReader, TicketReader } from "../domain/ports.ts";
import { settle } from "../store/ledger.ts";
import { type Leftover, noteUnsettled, takeLeftovers } from "../store/leftovers.ts";
import { markerOfPage } from "./confluence.ts";
import type { Door } from "./door.ts";
import { ensure } from "./perform.ts";

export interface Readers {
  readonly tickets: Pick<TicketReader, "readTicket">;
  readonly code: Pick<CodeReader, "findMergeRequest">;
  readonly pages: Pick<PageReader, "findPage"> | null;
}

/** Nobody works longer on one effect without a word from the other side. */
const usualAgeMs = 10 * 60_000;

/** After this nobody is waiting for the answer. */
const giveUpMs = 7 * 24 * 60 * 60_000;

/** Rows per round; the others are met in the next one. */
const perRound = 50;

type Finding = { readonly ref: Ref } | { readonly unknown: string };

const never = (what: string): Finding => ({ unknown: `the run ended first, and ${what}` });

/** Whether an effect has happened, as far as reading tells. Throws as readers do. */
async function lookUp(readers: Readers, effect: Effect): Promise<Finding> {
  switch (effect.kind) {
    case "jira.transition": {
      const ticket = await readers.tickets.readTicket(effect.ticket);
      if (ticket.status === effect.status) return { ref: { id: ticket.key, url: ticket.url } };
      return never(`the ticket is in status "${ticket.status}"`);
    }
    case "jira.labels": {
      const { key, url, labels } = await readers.tickets.readTicket(effect.ticket);
      const there =
        effect.add.every((label) => labels.includes(label)) && !effect.remove.some((label) => labels.includes(label));
      return there ? { ref: { id: key, url } } : never("the ticket has other labels");
    }
    case "gitlab.mergeRequest": {
      const { repository, sourceBranch } = effect;
      const found = await readers.code.findMergeRequest({ repository, sourceBranch });
      return found === null
        ? never("there is no open merge request")
        : { ref: { id: String(found.iid), url: found.url } };
    }
    case "confluence.page": {
      const found = await readers.pages?.findPage({ space: effect.space, marker: markerOfPage(effect.subject) });
      return found ? { ref: { id: found.id, url: found.url } } : never("there is no such page");
    }
    case "jira.status":
    case "jira.note":
    case "jira.remoteLink":
    case "gitlab.branch":
    case "gitlab.award":
    case "gitlab.note":
    case "gitlab.review":
    case "gitlab.resolve":
    case "gitlab.description":
    case "gitlab.ready":
    case "gitlab.merge":
    case "gitlab.retryJob":
      return never("whether it arrived cannot be told by reading");
  }
}

/** The comment that tells how the run ended, while no younger run has more to say in the same place. */
function isLastWord({ step, effect, overtaken }: Leftover): boolean {
  const says = effect.kind === "jira.status" || effect.kind === "gitlab.note";
  return step.startsWith("close-") && says && !overtaken;
}

async function settleOne(door: Door, readers: Readers, row: Leftover): Promise<void> {
  const { database, log } = door;
  const about = { run: row.runId, effect: row.key };
  try {
    if (isLastWord(row) && !door.dryRun) {
      await settle(database, row.key, await ensure(door, row.effect));
      return log.info("a run's last word has arrived after all", about);
    }
    const finding = await lookUp(readers, row.effect);
    if ("ref" in finding) {
      await settle(database, row.key, { outcome: "unchanged", ref: finding.ref });
      return log.info("a leftover of an ended run was found and settled", about);
    }
    await noteUnsettled(database, row, finding.unknown, true);
    log.warn("a leftover of an ended run was given up", { ...about, reason: finding.unknown });
  } catch (error) {
    const known = error instanceof Retryable || error instanceof Permanent || error instanceof UserError;
    if (!known) log.error("a leftover could not be looked up because of a bug", { ...about, error });
    const giveUp = !(error instanceof Retryable) || row.ageMs > giveUpMs;
    await noteUnsettled(database, row, messageOf(error), giveUp);
    if (known && giveUp) log.warn("a leftover of an ended run was given up", { ...about, reason: messageOf(error) });
  }
}

/**
 * Looks up what ended runs have left `sent` and settles it, or gives it up with the reason on the row: nothing stays `sent` for ever.
 * What cannot be looked up now (the other side is down) is met again after `olderThanMs`, for up to a week.
 * @param options.olderThanMs how long a row has to lie there, default 10 minutes
 * @returns how many rows were looked at
 */
export async function settleLeftovers(
  door: Door,
  readers: Readers,
  options: { olderThanMs?: number } = {},
): Promise<number> {
  const rows = await takeLeftovers(door.database, options.olderThanMs ?? usualAgeMs, perRound);
  for (const row of rows) await settleOne(door, readers, row);
  return rows.length;
}
