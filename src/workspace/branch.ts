/** Puts one proposed commit on a branch, however often it is asked to, and never over anybody else's work. */
import type { BranchPayload, Ensured } from "../domain/effect.ts";
import { Permanent, Retryable } from "../domain/errors.ts";
import { passFence } from "../platform/fence.ts";
import { checkBranchName, checkCommitId, type Mirror } from "./mirror.ts";
import type { Scratch } from "./scratch.ts";

/**
 * The commit of a payload; the same payload gives the same id anywhere. Its parent is the base, its author also the committer.
 * Permanent when the patch is empty or does not apply, or the date is none.
 */
async function makeCommit(payload: BranchPayload, scratch: Scratch): Promise<string> {
  const seconds = Math.floor(Date.parse(payload.date) / 1000);
  if (!Number.isFinite(seconds) || seconds < 0) throw new Permanent(`not a date: ${payload.date}`);
  if (payload.patch.trim() === "") throw new Permanent("there is nothing to commit: the patch is empty");
  if (payload.message.includes("\0")) throw new Permanent("the commit message contains a NUL character");
  await scratch.stage(payload.base, payload.patch);
  const tree = await scratch.gitLine(["write-tree"]);
  const { name, email } = payload.author;
  const date = `@${seconds} +0000`;
  return scratch.gitLine(["commit-tree", tree, "-p", payload.base, "-F", "-"], {
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
async function strangers(head: string, base: string, ours: ReadonlySet<string>, scratch: Scratch): Promise<string[]> {
  const log = await scratch.git(["log", "-z", "--max-count=1000", "--format=%ae%n%ce%n%an", head, `^${base}`, "--"]);
  const commits = log
    .toString("utf8")
    .split("\0")
    .filter((text) => text.trim() !== "")
    .map((text) => text.split("\n"));
  const foreign = commits.filter(([author, committer]) => !ours.has(author ?? "") || !ours.has(committer ?? ""));
  return [...new Set(foreign.map(([author, committer, name]) => (ours.has(author ?? "") ? committer : name) ?? "?"))];
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
    const ours = new Set([payload.author.email, ...input.ourEmails]);
    const others = await strangers(head, payload.base, ours, scratch);
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
