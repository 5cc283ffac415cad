/** What a scripted reviewer gets to see, read back from the task, so that it can find what it is there to find. */
import type { z } from "zod";
import type { Review } from "../../../domain/review.ts";
import type { Asked, Policy } from "../policy.ts";
import type { WrittenTurn } from "../scenario.ts";

export interface SeenLine {
  readonly path: string;
  readonly sign: "+" | "-" | " ";
  readonly line: number | null;
  readonly oldLine: number | null;
  readonly text: string;
}

export interface SeenThread {
  /** By which the task names it, from 1. */
  readonly number: number;
  readonly path: string;
  readonly kind: string;
  readonly text: string;
}

export interface Seen {
  readonly lines: readonly SeenLine[];
  readonly threads: readonly SeenThread[];
  /** The task holds a ticket whose criteria are to be checked. */
  readonly ticket: string | null;
}

/** The text of a section of the task; null when it is not there. */
function section(task: string, title: string): string | null {
  const found = new RegExp(`^${title} \\(data[^)]*\\):\\n(\`{3,})\\n([\\s\\S]*?)\\n\\1$`, "m").exec(task);
  return found?.[2] ?? null;
}

const row = /^([ \d]{5}) ([ \d]{5}) ([+\- ]) (.*)$/;

function readLines(diff: string): SeenLine[] {
  let path = "";
  return diff.split("\n").flatMap((text): SeenLine[] => {
    const head = /^== (.+?) \((?:added|deleted|renamed|modified)[^)]*\)$/.exec(text);
    if (head !== null) path = head[1] ?? "";
    const found = head === null ? row.exec(text) : null;
    if (found === null) return [];
    const number = (column: string | undefined): number | null => (column?.trim() === "" ? null : Number(column));
    const sign = found[3] as SeenLine["sign"];
    return [{ path, sign, line: number(found[2]), oldLine: number(found[1]), text: found[4] ?? "" }];
  });
}

function readThreads(text: string): SeenThread[] {
  return text.split(/\n\n(?=\d+\. )/).flatMap((part): SeenThread[] => {
    const found = /^(\d+)\. (.+?), (?:line \d+|its line is not there any more), ([a-z-]+):\n/.exec(part);
    if (found === null) return [];
    return [{ number: Number(found[1]), path: found[2] ?? "", kind: found[3] ?? "", text: part }];
  });
}

/** Reads the task of a reviewer. */
export function readReviewTask(asked: Asked): Seen {
  const task = asked.messages.find(({ role }) => role === "user")?.text ?? "";
  return {
    lines: readLines(section(task, "Diff") ?? ""),
    threads: readThreads(section(task, "Open threads of yours") ?? ""),
    ticket: section(task, "Ticket"),
  };
}

/** A reviewer that says at once what `say` makes of the task. */
export function reviewingBy(say: (seen: Seen, asked: Asked) => z.input<typeof Review>): Policy {
  return (asked): WrittenTurn => ({ calls: [{ tool: "finish", arguments: { ...say(readReviewTask(asked), asked) } }] });
}
