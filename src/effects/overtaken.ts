/**
 * What is to be done when a worker finds that it was overtaken while a write of its was on the way. No outside system lets us say
 * "only if I still hold the lease", so that write may have come after newer ones of the worker that took over: a second comment,
 * or an old text or status over a new one. The ledger knows what was written last, so that is written again.
 */
import type { Effect, LedgerRow } from "../domain/effect.ts";
import { newestOn } from "../store/ledger.ts";
import type { Database } from "../store/queryable.ts";

/** The part of an effect that says which object it writes to. Labels are left out: every effect on them names other ones. */
function objectOf(effect: Effect): Partial<Effect> | null {
  const { kind } = effect;
  switch (kind) {
    case "jira.status":
    case "jira.transition":
      return { kind, ticket: effect.ticket };
    case "jira.note":
      return { kind, ticket: effect.ticket, subject: effect.subject };
    case "jira.labels":
      return null;
    case "jira.remoteLink":
      return { kind, ticket: effect.ticket, globalId: effect.globalId };
    case "gitlab.branch":
      return { kind, repository: effect.repository, branch: effect.branch };
    case "gitlab.mergeRequest":
      return { kind, repository: effect.repository, sourceBranch: effect.sourceBranch };
    case "gitlab.note":
      return { kind, repository: effect.repository, iid: effect.iid, subject: effect.subject };
    case "gitlab.description":
      return { kind, repository: effect.repository, iid: effect.iid, subject: effect.subject };
    case "gitlab.award":
    case "gitlab.review":
    case "gitlab.resolve":
    case "gitlab.ready":
    case "gitlab.merge":
    case "gitlab.retryJob":
      // Done once they stay done, and no later one says anything else.
      return null;
    case "confluence.page":
      return { kind, space: effect.space, subject: effect.subject };
  }
}

/** Writes that may pile up while we mend; with each more the other worker has gone on. */
const mostRounds = 5;

/**
 * Brings the object of an overtaken write to what the ledger says was written last, duplicates removed. Meant to be called by the
 * worker that was overtaken, once its own request has come to an end. Throws what `ensure` throws.
 */
export async function mendOvertaken(
  database: Database,
  row: LedgerRow,
  ensure: (effect: Effect) => Promise<unknown>,
): Promise<void> {
  const object = objectOf(row.effect);
  if (object === null) return;
  let written: string | undefined;
  for (let round = 0; round < mostRounds; round += 1) {
    const newest = await newestOn(database, object);
    if (newest === null || newest.key === written) return;
    await ensure(newest.effect);
    written = newest.key;
  }
}
