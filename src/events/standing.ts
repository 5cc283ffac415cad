/**
 * How the other side stands: which systems answer, whether webhooks are sent. Every process has breakers of its own, and one of them looks at
 * webhooks; so each writes down what it finds, and whoever asks any of them is told of all.
 */
import { randomUUID } from "node:crypto";
import type { BreakerState } from "../platform/breaker.ts";
import { type FindingRow, listFindings, noteAway } from "../store/outside.ts";
import type { Database } from "../store/queryable.ts";
import type { HookHealth } from "./hook-watch.ts";

/** A process that has not repeated what it found for so long is gone. */
const freshMs = 60_000;

export type OutsideState =
  | {
      readonly kind: "system";
      readonly name: string;
      /** Empty when it is not known. */
      readonly host: string;
      readonly state: BreakerState["state"];
      readonly since: Date | null;
      readonly reason: string;
    }
  | {
      readonly kind: "webhook";
      /** Path of the repository. */
      readonly name: string;
      readonly state: HookHealth;
      readonly since: Date | null;
      /** When it was looked at. */
      readonly foundAt: Date;
    };

/** Whether something should be looked into. A repository without a webhook may be served by that of its group. */
export function isTrouble({ state }: OutsideState): boolean {
  return state === "open" || state === "locked_out" || state === "off";
}

export interface OutsideBoard {
  /** Writes down what this process has found. To be called every few seconds. */
  note(): Promise<void>;
  /** All systems, then the webhooks that were looked at. */
  read(): Promise<OutsideState[]>;
}

/** The worse of two findings about one system; of equals, the older one. */
function worse(one: BreakerState, other: FindingRow): boolean {
  const rank = (state: string): number => ["closed", "open", "locked_out"].indexOf(state);
  if (rank(one.state) !== rank(other.state)) return rank(other.state) > rank(one.state);
  return one.since !== null && other.since !== null && other.since < one.since;
}

const hookHealths: readonly string[] = ["working", "missing", "unseen", "off"] satisfies HookHealth[];

/** @param options.breakers the state of this process' breakers, one for each system */
export function createOutsideBoard(options: {
  readonly database: Database;
  readonly breakers: () => readonly BreakerState[];
  /** Whose webhooks are shown. */
  readonly repositories: readonly string[];
}): OutsideBoard {
  const { database, breakers } = options;
  const finder = randomUUID();
  let noted = 0;
  return {
    async note() {
      const away = breakers()
        .filter(({ state }) => state !== "closed")
        .map(({ system, ...rest }) => ({ name: system, ...rest }));
      if (away.length === 0 && noted === 0) return;
      await noteAway(database, finder, away);
      noted = away.length;
    },
    async read() {
      const rows = await listFindings(database, freshMs);
      const systems = breakers().map((own): OutsideState => {
        const found = rows.find((row) => row.kind === "system" && row.name === own.system && worse(own, row));
        const { state, since, reason } =
          found === undefined ? own : { ...found, state: found.state as BreakerState["state"] };
        return { kind: "system", name: own.system, host: own.host, state, since, reason };
      });
      const webhooks = rows.flatMap(({ kind, name, state, since, foundAt }): OutsideState[] =>
        kind === "webhook" && options.repositories.includes(name) && hookHealths.includes(state)
          ? [{ kind, name, state: state as HookHealth, since, foundAt }]
          : [],
      );
      return [...systems, ...webhooks];
    },
  };
}
