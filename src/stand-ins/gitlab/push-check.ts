/**
 * Run by git's pre-receive hook when a project has push rules: reads `old new ref` lines, prints GitLab's refusal and ends 1 for the first
 * push that breaks a rule. Its argument is JSON: the rule, the default branch and the known addresses.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { judgePush, type Push, type PushRule } from "./push-rules.ts";

const NOTHING = /^0+$/;

const { rule, defaultBranch, knownEmails } = JSON.parse(process.argv[2] ?? "{}") as {
  rule: PushRule;
  defaultBranch: string;
  knownEmails: string[];
};

// The hook's environment names the quarantine that the pushed objects lie in.
const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });

function readCommits(id: string): Push["commits"] {
  const text = git("log", "-z", "--format=%ae%n%ce%n%G?%n%B", id, "--not", "--all");
  return text
    .split("\0")
    .filter((row) => row !== "")
    .map((row) => {
      const [authorEmail = "", committerEmail = "", signature = "N", ...message] = row.split("\n");
      return { authorEmail, committerEmail, signed: signature !== "N", message: message.join("\n") };
    });
}

function readFiles(id: string): Push["files"] {
  const objects = git("rev-list", "--objects", id, "--not", "--all");
  return objects.split("\n").flatMap((row) => {
    const [object = "", ...path] = row.split(" ");
    const isFile = path.length > 0 && path.join("") !== "" && git("cat-file", "-t", object).trim() === "blob";
    return isFile ? [{ path: path.join(" "), bytes: Number(git("cat-file", "-s", object)) }] : [];
  });
}

for (const line of readFileSync(0, "utf8").trim().split("\n")) {
  const [, id = "", ref = ""] = line.split(" ");
  if (NOTHING.test(id) || !ref.startsWith("refs/heads/")) continue;
  const branch = ref.slice("refs/heads/".length);
  const files = (rule.maxFileMb ?? 0) > 0 ? readFiles(id) : [];
  const reason = judgePush(rule, {
    branch,
    isDefaultBranch: branch === defaultBranch,
    commits: readCommits(id),
    files,
    knownEmails,
  });
  if (reason === null) continue;
  process.stderr.write(`GitLab: ${reason}\n`);
  process.exit(1);
}
