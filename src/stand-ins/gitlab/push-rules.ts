/** Push rules (Premium): what a branch, its commits and their authors have to look like. GitLab's own words for what does not. */

export interface PushRule {
  readonly branchName?: string;
  readonly authorEmail?: string;
  readonly commitMessage?: string;
  readonly commitMessageNot?: string;
  readonly signedCommits?: boolean;
  /** Authors have to be known to GitLab. */
  readonly memberCheck?: boolean;
  /** Megabytes. */
  readonly maxFileMb?: number;
}

export interface PushedCommit {
  readonly message: string;
  readonly authorEmail: string;
  readonly committerEmail: string;
  readonly signed: boolean;
}

/** What is pushed to one branch. */
export interface Push {
  readonly branch: string;
  readonly isDefaultBranch: boolean;
  /** Those that GitLab did not have. */
  readonly commits: readonly PushedCommit[];
  /** Sizes in bytes of the files that GitLab did not have. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** Addresses of GitLab's users. */
  readonly knownEmails: readonly string[];
}

/** RE2 and JavaScript agree on what tests write; the flags are Ruby's for multi-line texts. */
const matches = (pattern: string, text: string): boolean => new RegExp(pattern, "m").test(text);

function judgeCommit(rule: PushRule, commit: PushedCommit, knownEmails: readonly string[]): string | null {
  const { commitMessage, commitMessageNot, authorEmail: email } = rule;
  if (commitMessage !== undefined && !matches(commitMessage, commit.message)) {
    return `Commit message does not follow the pattern '${commitMessage}'`;
  }
  if (commitMessageNot !== undefined && matches(commitMessageNot, commit.message)) {
    return `Commit message contains the forbidden pattern '${commitMessageNot}'`;
  }
  if (email !== undefined && !matches(email, commit.authorEmail)) {
    return `Author's commit email '${commit.authorEmail}' does not follow the pattern '${email}'`;
  }
  if (email !== undefined && !matches(email, commit.committerEmail)) {
    return `Committer's email '${commit.committerEmail}' does not follow the pattern '${email}'`;
  }
  if (rule.memberCheck === true && !knownEmails.includes(commit.authorEmail)) {
    return `Author '${commit.authorEmail}' is not a member of team`;
  }
  if (rule.signedCommits === true && !commit.signed) return "Commit must be signed with a GPG key";
  return null;
}

/** Why a push is refused; null when it is not. The default branch may be called what it is called. */
export function judgePush(rule: PushRule, push: Push): string | null {
  const { branchName, maxFileMb = 0 } = rule;
  if (branchName !== undefined && !push.isDefaultBranch && !matches(branchName, push.branch)) {
    return `Branch name does not follow the pattern '${branchName}'`;
  }
  for (const commit of push.commits) {
    const reason = judgeCommit(rule, commit, push.knownEmails);
    if (reason !== null) return reason;
  }
  const large = maxFileMb > 0 && push.files.find(({ bytes }) => bytes > maxFileMb * 1024 * 1024);
  return large ? `File "${large.path}" is larger than the allowed size of ${maxFileMb} MiB` : null;
}
