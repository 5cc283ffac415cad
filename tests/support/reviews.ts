/** Reviews in stories: a reviewer that finds by pattern, and what became of its findings on the merge request. */
import { expect } from "vitest";
import type { z } from "zod";
import type { Review } from "../../src/domain/review.ts";
import { isEnd, type Run } from "../../src/domain/run.ts";
import type { SeenLine } from "../../src/stand-ins/model/policies/reviewing.ts";
import { listRuns } from "../../src/store/runs.ts";
import { requestOf } from "./gitlab-people.ts";
import type { Story } from "./story.ts";

type Finding = NonNullable<z.input<typeof Review>["findings"]>[number];

/** A finding on a line that the reviewer sees. */
export function findingOn(seen: SeenLine, more: Partial<Finding> = {}): Finding {
  const line = seen.line ?? seen.oldLine ?? 1;
  return {
    path: seen.path,
    side: seen.line === null ? "old" : "new",
    from: line,
    to: line,
    kind: "correctness",
    severity: "major",
    confidence: 0.9,
    title: "This is wrong",
    explanation: "It goes wrong.",
    ...more,
  };
}

/** The run that a note or a push started, once it has ended. */
export async function runFor(story: Story, cause: { noteId: number } | { sha: string }): Promise<Run> {
  const find = async (): Promise<Run | undefined> =>
    (await listRuns(story.bot.database, 200)).find(({ target }) =>
      "noteId" in cause
        ? target.request?.noteId === cause.noteId
        : target.sha === cause.sha && target.request === undefined,
    );
  await expect.poll(async () => isEnd((await find())?.state ?? "queued"), { timeout: 45_000 }).toBe(true);
  const run = await find();
  if (run === undefined) throw new Error("the run is gone");
  return run;
}

export interface FindingThread {
  readonly id: string;
  /** `path:line`; of a removed line `path:-line`. Null where it stands on none. */
  readonly at: string | null;
  readonly resolved: boolean;
  /** What was said in it, without hidden markers. */
  readonly said: readonly string[];
  readonly type: string | null;
}

const plain = (body: string): string => body.replace(/<!--[\s\S]*?-->/g, "").trim();

/** The findings of the bot on a merge request, oldest first. */
export function findingsOf(story: Story, iid: number): FindingThread[] {
  return requestOf(story.acme, iid).discussions.flatMap(({ id, notes }) => {
    const [first] = notes;
    if (first?.authorId !== 900 || !first.body.includes("finding:")) return [];
    const { position } = first;
    const line = position?.new_line ?? (position?.old_line == null ? null : -position.old_line);
    return [
      {
        id,
        at: position === null ? null : `${position.new_path}:${line}`,
        resolved: first.resolvedAt !== null,
        said: notes.filter(({ system }) => !system).map(({ body }) => plain(body)),
        type: first.type,
      },
    ];
  });
}

/** The summary of the reviews. Fails when there is not exactly one. */
export function summaryOf(story: Story, iid: number): string {
  const notes = requestOf(story.acme, iid)
    .discussions.flatMap((thread) => thread.notes)
    .filter(({ authorId, body }) => authorId === 900 && body.includes("note:review"));
  expect(notes).toHaveLength(1);
  return plain(notes[0]?.body ?? "");
}
