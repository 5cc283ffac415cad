/** How values read on the pages. */
import type { EffectState } from "../../domain/effect.ts";
import type { Verdict } from "../../domain/event.ts";
import { type RunState, type Target, ticketOf } from "../../domain/run.ts";

/** The colour family of a state; each also has words, so that nothing is told by colour alone. */
export type Tone = "idle" | "busy" | "good" | "look" | "bad";

export interface Pill {
  readonly text: string;
  readonly tone: Tone;
}

export const runPills: Readonly<Record<RunState, Pill>> = {
  queued: { text: "queued", tone: "idle" },
  running: { text: "running", tone: "busy" },
  waiting: { text: "waiting", tone: "look" },
  done: { text: "done", tone: "good" },
  cancelled: { text: "cancelled", tone: "idle" },
  needs_human: { text: "needs a person", tone: "look" },
  failed: { text: "failed", tone: "bad" },
  timed_out: { text: "timed out", tone: "bad" },
  over_budget: { text: "over budget", tone: "look" },
};

export const verdictPills: Readonly<Record<Verdict, Pill>> = {
  pending: { text: "pending", tone: "busy" },
  handled: { text: "handled", tone: "good" },
  ignored: { text: "ignored", tone: "idle" },
  rejected: { text: "rejected", tone: "bad" },
  unsupported: { text: "unsupported", tone: "look" },
};

export const effectPills: Readonly<Record<EffectState, Pill>> = {
  planned: { text: "planned", tone: "idle" },
  sent: { text: "sent", tone: "busy" },
  settled: { text: "settled", tone: "good" },
  failed: { text: "failed", tone: "bad" },
};

/** A length of time: `420 ms`, `8.2 s`, `3 min 12 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A moment for a `<time>` element: machine readable, exact for people who hover, and roughly for all others. */
export interface Moment {
  readonly iso: string;
  readonly exact: string;
  readonly rough: string;
  /** Time of day, UTC; the script turns it into the reader's. */
  readonly clock: string;
}

/** How long ago it was, seen from `now`. */
export function moment(at: Date, now: Date): Moment {
  const iso = at.toISOString();
  const clock = iso.slice(11, 19);
  return { iso, exact: `${iso.slice(0, 10)} ${clock} UTC`, rough: ago(now.getTime() - at.getTime(), iso), clock };
}

function ago(ms: number, iso: string): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ago`;
  const days = Math.floor(hours / 24);
  return days < 30 ? `${days} d ago` : iso.slice(0, 10);
}

/** The address if a browser may be sent there, else null: `javascript:` and its kin are addresses too. */
export function webAddress(text: string): string | null {
  const url = URL.parse(text);
  return url !== null && (url.protocol === "https:" || url.protocol === "http:") ? url.href : null;
}

/** What a run is about, in a word: `SHOP-7`, `SHOP-7 !12`, `acme/shop!12`. */
export function subjectName(target: Target): string {
  const { ticket, mergeRequest } = target;
  return mergeRequest === undefined || ticketOf(target) === null ? ticket : `${ticket} !${mergeRequest.iid}`;
}

/** Where a run's ticket is read in Jira; null when it has none. */
export function ticketAddress(jiraUrl: string, target: Target): string | null {
  const key = ticketOf(target);
  if (key === null) return null;
  return webAddress(`${jiraUrl.replace(/\/+$/, "")}/browse/${encodeURIComponent(key)}`);
}

/** Text of at most `limit` characters, and whether anything was left out. */
export function clip(text: string, limit: number): { text: string; cut: boolean } {
  if (text.length <= limit) return { text, cut: false };
  return { text: text.slice(0, limit).toWellFormed(), cut: true };
}
