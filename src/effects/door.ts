/** What is needed to write to the outside. */
import type { BranchWriter, CodeWriter, PageWriter, ReviewWriter, TicketWriter } from "../domain/ports.ts";
import type { Log } from "../platform/log.ts";
import type { Database } from "../store/queryable.ts";

export interface Writers {
  readonly tickets: TicketWriter;
  readonly code: CodeWriter;
  readonly branches: BranchWriter;
  readonly reviews: ReviewWriter;
  readonly pages: PageWriter | null;
}

export interface Door {
  readonly database: Database;
  readonly writers: Writers;
  /** Hosts that outgoing bodies may link to or show images from. */
  readonly allowedHosts: readonly string[];
  /** Settle everything without calling anybody. */
  readonly dryRun: boolean;
  readonly log: Log;
}
