/**
 * Reviews: threads on lines of the diff, written as drafts and published together (docs.gitlab.com/api/draft_notes). An attempt may die at
 * any place: drafts of ours that are there already are used, whatever was published is never written again.
 *
 * A line that is not in the diff is found out late: GitLab takes the draft, and deletes it when it publishes without a note coming of it
 * (app/services/draft_notes/publish_service.rb does not look at what was saved), or makes a plain comment of it. So what has come of each
 * finding is looked up afterwards, and those without a line become threads that name it.
 */
import { MergeRequestDiscussions, MergeRequestDraftNotes, MergeRequestNotes, MergeRequests } from "@gitbeaker/rest";
import { z } from "zod";
import { Permanent } from "../../domain/errors.ts";
import type { DiffRefs } from "../../domain/merge-request.ts";
import type { ReviewWriter } from "../../domain/ports.ts";
import { isSameText, printNote, printPlace, readNote, withPlace } from "./note-text.ts";
import { findOurs } from "./notes.ts";
import { type Account, addressOf, type OnMergeRequest, pathOf, type Resource } from "./resource.ts";
import { checked } from "./schemas.ts";
import { requireHead, showMergeRequest } from "./state.ts";
import { DiscussionAnswer, listDiscussions } from "./threads.ts";

type ReviewInput = Parameters<ReviewWriter["ensureReview"]>[0];
type Finding = ReviewInput["findings"][number];

/** GitLab shows each account its own drafts only, all on one page. */
const DraftAnswer = z.object({
  id: z.number().int(),
  note: z.string(),
  position: z.object({ head_sha: z.string().nullish() }).nullish(),
});
type DraftAnswer = z.infer<typeof DraftAnswer>;

/** A position as GitLab wants it: both paths always, lines only where the line is (docs.gitlab.com/api/discussions). */
function toPosition(refs: DiffRefs, { position }: Finding): Record<string, string | number> {
  return {
    position_type: "text",
    base_sha: refs.base,
    start_sha: refs.start,
    head_sha: refs.head,
    old_path: position.oldPath,
    new_path: position.path,
    ...(position.oldLine === null ? {} : { old_line: position.oldLine }),
    ...(position.line === null ? {} : { new_line: position.line }),
  };
}

const placeOf = ({ position }: Finding): string => printPlace(position.path, position.line ?? position.oldLine);

/** A finding that stands on no line says itself which one it is about. */
function printPlaced(finding: Finding): string {
  return printNote(finding.marker, withPlace(finding.body, placeOf(finding)));
}

/** Throws as all of the adapter does: Retryable or Permanent. */
export function createReviews(resource: Resource, account: Account): Pick<ReviewWriter, "ensureReview"> {
  const mergeRequests = new MergeRequests(resource);
  const discussions = new MergeRequestDiscussions(resource);
  const notes = new MergeRequestNotes(resource);
  const drafts = new MergeRequestDraftNotes(resource);

  async function listDrafts({ repository, iid }: OnMergeRequest): Promise<DraftAnswer[]> {
    const answers: unknown = await drafts.all(repository, iid);
    return checked(DraftAnswer.array(), answers, "list of draft notes");
  }

  /** Makes the draft of a finding. Nothing where GitLab refuses its position: then it is missing later, too. */
  async function draft(at: OnMergeRequest, refs: DiffRefs, finding: Finding): Promise<void> {
    try {
      // Not by gitbeaker's `create`: its form cuts paths at `&`.
      await mergeRequests.requester.post(`${pathOf(at)}/draft_notes`, {
        body: { note: printNote(finding.marker, finding.body), position: toPosition(refs, finding) },
      });
    } catch (error) {
      if (!(error instanceof Permanent) || (error.status !== 400 && error.status !== 422)) throw error;
    }
  }

  /** All at once when every draft there is belongs to this review: people may write drafts with the same account. */
  async function publish(at: OnMergeRequest, ours: ReadonlySet<string>): Promise<void> {
    const there = await listDrafts(at);
    const mine = there.filter(({ note }) => ours.has(readNote(note).marker ?? ""));
    if (mine.length === 0) return;
    if (mine.length === there.length) await drafts.publishBulk(at.repository, at.iid);
    else for (const { id } of mine) await drafts.publish(at.repository, at.iid, id);
  }

  /** Brings drafts into the state that publishing may start from: one for each finding. */
  async function prepare(input: ReviewInput, missing: readonly Finding[]): Promise<void> {
    const wanted = new Set(missing.map(({ marker }) => marker));
    const drafted = new Set<string>();
    for (const { id, note, position } of await listDrafts(input)) {
      const { marker } = readNote(note);
      if (marker === null) continue;
      const stale = position?.head_sha != null && position.head_sha !== input.refs.head;
      // Left behind by a review of older commits, or made twice: nobody has seen it, and it fits nowhere.
      if (stale || drafted.has(marker)) await drafts.remove(input.repository, input.iid, id);
      else if (wanted.has(marker)) drafted.add(marker);
    }
    for (const finding of missing) if (!drafted.has(finding.marker)) await draft(input, input.refs, finding);
  }

  /** GitLab may take a position and still make a plain comment of it: such ones are told where they belong. */
  async function mend(
    at: OnMergeRequest,
    findings: readonly Finding[],
    there: readonly DiscussionAnswer[],
    ourId: string,
  ) {
    let mended = 0;
    for (const finding of findings) {
      const found = findOurs(there, finding.marker, ourId);
      if (found === undefined || found.note.type === "DiffNote") continue;
      const text = printPlaced(finding);
      if (isSameText(found.note.body, text) || found.note.body.includes(`\`${placeOf(finding)}\``)) continue;
      await notes.edit(at.repository, at.iid, found.note.id, { body: text });
      mended += 1;
    }
    return mended;
  }

  return {
    async ensureReview(input) {
      const { repository, iid, refs, findings } = input;
      const at = { repository, iid };
      const me = await account.me();
      const refOf = (there: readonly DiscussionAnswer[]) => {
        const first = findings[0] && findOurs(there, findings[0].marker, me.id);
        return { id: first?.discussion.id ?? "", url: addressOf(resource, at, first?.note.id) };
      };
      const before = await listDiscussions(discussions, at);
      const missing = findings.filter(({ marker }) => findOurs(before, marker, me.id) === undefined);
      if (missing.length === 0) {
        const mended = await mend(at, findings, before, me.id);
        return { outcome: mended > 0 ? "updated" : "unchanged", ref: refOf(before) };
      }
      requireHead(await showMergeRequest(mergeRequests, at), refs.head);
      await prepare(input, missing);
      await publish(at, new Set(missing.map(({ marker }) => marker)));
      const after = await listDiscussions(discussions, at);
      for (const finding of missing) {
        if (findOurs(after, finding.marker, me.id) !== undefined) continue;
        const made: unknown = await discussions.create(repository, iid, printPlaced(finding));
        after.push(checked(DiscussionAnswer, made, "thread"));
      }
      await mend(at, findings, after, me.id);
      return { outcome: "created", ref: refOf(after) };
    },
  };
}
