/** Puts one proposed commit on a branch, however often it is asked to, and never over anybody else's work. */
import type { BranchPayload, Ensured } from "../domain/effect.ts";
import { Permanent, Retryable } from "../domain/errors.ts";
import { passFence } from "../platform/fence.ts";
import { checkBranchName, checkCommitId, type Mirror } from "./mirror.ts";
import type { Scratch } from "./scratch.ts";

/**
 * The commit of a payload; the same payload gives the same id anywhere. Its parent is the base (of a merge, `mergeOf` is the second one),
 * its author also the committer. Permanent when the patch does not apply, or is empty without being a merge, or the date is none.
 */
async function makeCommit(payload: BranchPayload, scratch: Scratch): Promise<string> {
  const seconds = Math.floor(Date.parse(payload.date) / 1000);
  if (!Number.isFinite(seconds) || seconds < 0) throw new Permanent(`not a date: ${payload.date}`);
  const { mergeOf } = payload;
  // A merge may leave every file as it was and still be worth a commit.
  if (payload.patch.trim() === "" && mergeOf === undefined) {
    throw new Permanent("there is nothing to commit: the patch is empty");
  }
  if (payload.message.includes("\0")) throw new Permanent("the commit message contains a NUL character");
  await scratch.stage(payload.base, payload.patch.trim() === "" ? "" : payload.patch);
  const tree = await scratch.gitLine(["write-tree"]);
  const parents = [payload.base, ...(mergeOf === undefined ? [] : [mergeOf])].flatMap((parent) => ["-p", parent]);
  const { name, email } = payload.author;
  const date = `@${seconds} +0000`;
  return scratch.gitLine(["commit-tree", tree, ...parents, "-F", "-"], {
    input: payload.message.endsWith("\n") ? payload.message : `${payload.message}\n`,
    env: {
      GIT_AUTHOR_NAME: name,
      GIT_AUTHOR_EMAIL: email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: name,
      GIT_COMMITTER_EMAIL: email,
      GIT_COMMITTER_DATE: date,
    },
  });
}

/**
 * Who made the commits that a push from `base` would throw away, other than us; at most a few names.
 * Author and committer both count: `commit --amend` and a rebase by a person keep our name as the author.
 */
async function strangers(
  head: string,
  { base, mergeOf }: BranchPayload,
  ours: ReadonlySet<string>,
  scratch: Scratch,
): Promise<string[]> {
  const known = [`^${base}`, ...(mergeOf === undefined ? [] : [`^${mergeOf}`])];
  const log = await scratch.git(["log", "-z", "--max-count=1000", "--format=%ae%n%ce%n%an", head, ...known, "--"]);
  const commits = log
    .toString("utf8")
    .split("\0")
    .filter((text) => text.trim() !== "")
    .map((text) => text.split("\n"));
  const foreign = commits.filter(([author, committer]) => !ours.has(author ?? "") || !ours.has(committer ?? ""));
  return [...new Set(foreign.map(([author, committer, name]) => (ours.has(author ?? "") ? committer : name) ?? "?"))];
}

/** Nothing on the branch is replaced, whoever wrote it: it has to be where the patch was made for. */
function requireUnmoved({ branch, base }: BranchPayload, head: string | null): void {
  if (head === base) return;
  throw new Permanent(
    head === null
      ? `branch ${branch} is gone: there is nothing to add a commit to`
      : `branch ${branch} is at ${head.slice(0, 12)} and not at ${base.slice(0, 12)} any more: somebody pushed, and nothing is put over it`,
    { status: 409 },
  );
}

/**
 * See `BranchWriter.ensureBranch`. `scratch` borrows from `mirror`. `ourEmails` are addresses besides the payload's author whose
 * commits may be replaced. The lease makes the push fail (Retryable) when somebody moves the branch between our look and our push.
 */
export async function putOnBranch(input: {
  payload: BranchPayload;
  mirror: Mirror;
  scratch: Scratch;
  ourEmails: readonly string[];
}): Promise<Ensured> {
  const { payload, mirror, scratch } = input;
  const ref = `refs/heads/${checkBranchName(payload.branch)}`;
  await mirror.ensureCommit(checkCommitId(payload.base));
  if (payload.mergeOf !== undefined) await mirror.ensureCommit(checkCommitId(payload.mergeOf));
  const commit = await makeCommit(payload, scratch);
  const done = (outcome: Ensured["outcome"]): Ensured => ({ outcome, ref: { id: commit, url: "" } });

  const head = await mirror.remoteHead(payload.branch);
  if (head === commit) return done("unchanged");
  if (head !== null) {
    if ((await mirror.fetchBranch(payload.branch)) !== head) {
      throw new Retryable(`branch ${payload.branch} moved while we looked at it`);
    }
    // Our push arrived, its answer did not, and work went on from there: nothing is left to do.
    const beyond = await scratch.gitLine(["rev-list", "--max-count=1", commit, `^${head}`, "--"]);
    if (beyond === "") return done("unchanged");
  }
  if (payload.appendOnly === true) requireUnmoved(payload, head);
  else if (head !== null) {
    const ours = new Set([payload.author.email, ...input.ourEmails]);
    const others = await strangers(head, payload, ours, scratch);
    if (others.length > 0) {
      throw new Permanent(
        `branch ${payload.branch} has commits by ${others.slice(0, 3).join(", ")}: they are not overwritten. ` +
          "Merge, move or delete the branch, then retry",
      );
    }
  }
  await passFence();
  await scratch.git(
    [
      "push",
      "--quiet",
      "--no-verify",
      `--force-with-lease=${ref}:${head ?? ""}`,
      "--end-of-options",
      mirror.remote.url,
      `${commit}:${ref}`,
    ],
    { remote: mirror.remote },
  );
  return done(head === null ? "created" : "updated");
}
