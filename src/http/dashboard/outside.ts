/** The systems outside, as the first page shows them. */
import type { OutsideState } from "../../events/standing.ts";
import { type Moment, moment, type Pill } from "./words.ts";

export interface OutsideLine {
  readonly name: string;
  readonly detail: string;
  readonly pill: Pill;
  readonly reason: string;
  readonly since: Moment | null;
}

const pills = {
  closed: { text: "answers", tone: "good" },
  open: { text: "does not answer", tone: "bad" },
  locked_out: { text: "refuses our token", tone: "bad" },
  working: { text: "is sent", tone: "good" },
  off: { text: "switched off", tone: "bad" },
  missing: { text: "none found", tone: "idle" },
  unseen: { text: "cannot be seen", tone: "idle" },
} as const satisfies Record<OutsideState["state"], Pill>;

const whyWebhook = {
  working: "",
  off: "GitLab switched it off after failures, and could not reach us with a test: see that it can, then press Test in the project's settings.",
  missing: "No webhook of the project leads here. That is fine when one of its group does.",
  unseen: "Our token may not look at webhooks, which takes the role Maintainer.",
} as const;

/** One line for each system and each webhook, seen from `now`. */
export function outsideLines(states: readonly OutsideState[], now: Date): OutsideLine[] {
  return states.map((one) => ({
    name: one.name,
    detail: one.kind === "system" ? one.host : "webhook",
    pill: pills[one.state],
    reason: one.kind === "system" ? one.reason : whyWebhook[one.state],
    since: one.since === null ? null : moment(one.since, now),
  }));
}
