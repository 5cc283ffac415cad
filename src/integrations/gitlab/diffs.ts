/** What a merge request changes, however GitLab can be brought to say it. */
import { MergeRequests } from "@gitbeaker/rest";
import { z } from "zod";
import { Permanent } from "../../domain/errors.ts";
import type { FileDiff } from "../../domain/merge-request.ts";
import type { ReviewReader } from "../../domain/ports.ts";
import type { Log } from "../../platform/log.ts";
import { hunksOf, readRawDiff } from "./raw-diff.ts";
import { readHead } from "./requester.ts";
import { allPages, type OnMergeRequest, pathOf, type Resource } from "./resource.ts";
import { checked } from "./schemas.ts";

/** More of git's text is not read; files behind that are withheld. */
const RAW_LIMIT = 32 * 1024 * 1024;

/** From so many files on GitLab may have left out whole files (`diff_max_files`, at least 1000). */
const FILE_LIMIT = 1000;

/** `collapsed` and `too_large` come with GitLab 18.4; before, such files have an empty `diff` and nothing says why. */
const DiffAnswer = z.object({
  old_path: z.string(),
  new_path: z.string(),
  a_mode: z.string().nullish(),
  b_mode: z.string().nullish(),
  new_file: z.boolean(),
  renamed_file: z.boolean(),
  deleted_file: z.boolean(),
  diff: z.string().nullish(),
  collapsed: z.boolean().nullish(),
  too_large: z.boolean().nullish(),
});
type DiffAnswer = z.infer<typeof DiffAnswer>;

const isFlagged = (answer: DiffAnswer): boolean => answer.collapsed === true || answer.too_large === true;

/** Whether hunks may be missing. Without the flags an empty difference may be one of mode, name or an empty file. */
function isDoubtful(answer: DiffAnswer): boolean {
  const unsaid = answer.collapsed == null && answer.too_large == null;
  return isFlagged(answer) || (unsaid && (answer.diff ?? "") === "");
}

function toFile(answer: DiffAnswer): FileDiff {
  const { old_path: oldPath, new_path: newPath, a_mode: before, b_mode: after } = answer;
  const status = answer.new_file
    ? "added"
    : answer.deleted_file
      ? "deleted"
      : answer.renamed_file
        ? "renamed"
        : "modified";
  const otherwiseEmpty = status !== "modified" || before !== after;
  return {
    oldPath,
    newPath,
    status,
    patch: isFlagged(answer) ? "" : hunksOf(answer.diff ?? ""),
    withheld: isFlagged(answer) || (isDoubtful(answer) && !otherwiseEmpty),
  };
}

/** Throws as all of the adapter does: Retryable or Permanent. */
export function createDiffReader(resource: Resource, log: Log): Pick<ReviewReader, "readDiff"> {
  const mergeRequests = new MergeRequests(resource);
  const { requester } = mergeRequests;

  /** All files without GitLab's limits, or null where there is no such way. */
  async function readRaw(at: OnMergeRequest): Promise<FileDiff[] | null> {
    try {
      const { body } = await requester.get<ReadableStream>(`${pathOf(at)}/raw_diffs`, { asStream: true });
      const { text, cut } = await readHead(body, RAW_LIMIT);
      return readRawDiff(text, cut);
    } catch (error) {
      // Not on servers before 17.9; what they have instead is gone from the newer ones.
      if (!(error instanceof Permanent) || error.status !== 404) throw error;
    }
    try {
      const { body } = await requester.get(`${pathOf(at)}/changes`, { searchParams: { access_raw_diffs: true } });
      const { changes } = checked(z.object({ changes: DiffAnswer.array() }), body, "changes");
      return changes.map(toFile).filter((file) => file.patch !== "" || !file.withheld);
    } catch (error) {
      if (!(error instanceof Permanent) || error.status !== 404) throw error;
      log.info("GitLab has no way to read the whole difference of a merge request", { ...at });
      return null;
    }
  }

  return {
    async readDiff(at) {
      const answers: unknown = await mergeRequests.allDiffs(at.repository, at.iid, allPages);
      const listed = checked(DiffAnswer.array(), answers, "list of differences");
      if (!listed.some(isDoubtful) && listed.length < FILE_LIMIT) return listed.map(toFile);
      const raw = await readRaw(at);
      const byPath = new Map(raw?.map((file) => [file.newPath, file]));
      const files = listed.map((answer) => {
        const found = isDoubtful(answer) ? byPath.get(answer.new_path) : undefined;
        return found === undefined ? toFile(answer) : { ...toFile(answer), patch: found.patch, withheld: false };
      });
      const known = new Set(files.map((file) => file.newPath));
      return [...files, ...(raw ?? []).filter((file) => !known.has(file.newPath))];
    },
  };
}
