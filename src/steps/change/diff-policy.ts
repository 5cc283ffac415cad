/** The last look at a change before it leaves: what may not be in it, or only if a person has seen it. Pure; the rules are the operator's. */
import type { ChangeRules } from "../../platform/change-rules.ts";
import { stripHidden } from "../../platform/hidden-text.ts";
import { isDotGit } from "../../workspace/paths.ts";
import { newDependencies } from "./dependencies.ts";
import type { FileChange } from "./file-change.ts";
import { generatedHeader, generatedNames } from "./generated.ts";
import { comparable, matchingPattern } from "./glob.ts";
import { secretsInPatch } from "./secrets.ts";

/** `refuse`: the change is not pushed. `park`: it is pushed as a draft, and the run ends with what a person must look at. */
export type Strictness = "refuse" | "park";

/** Something in a change that a rule is about. Holds no part of a secret. */
export interface RuleFinding {
  readonly rule:
    | "protectedPaths"
    | "secrets"
    | "specialFiles"
    | "dependencies"
    | "size"
    | "binaries"
    | "generated"
    | "hiddenText"
    // What was asked for does not need it, see amend/scope.ts. No rule of the operator's.
    | "scope";
  readonly action: Strictness;
  /** Empty when it is about the whole change. */
  readonly path: string;
  readonly problem: string;
}

type Found = Omit<RuleFinding, "action" | "rule"> & { readonly rule: Exclude<RuleFinding["rule"], "scope"> };

const scriptsOf = (text: string | null): string => {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    const scripts = typeof value === "object" && value !== null && "scripts" in value ? value.scripts : {};
    return JSON.stringify(scripts);
  } catch {
    // Broken JSON counts as other scripts.
    return text ?? "";
  }
};

function bothPaths(file: FileChange): string[] {
  return [...new Set([file.path, file.oldPath])];
}

function protectedPaths(file: FileChange, patterns: readonly string[]): Found[] {
  const found = bothPaths(file).flatMap((path) => {
    const pattern = matchingPattern(path, patterns);
    return pattern === null ? [] : [{ rule: "protectedPaths" as const, path, problem: `is protected (${pattern})` }];
  });
  if (found.length > 0) return found;
  const isManifest = bothPaths(file).some((path) => /(?:^|\/)package\.json$/.test(comparable(path)));
  if (isManifest && patterns.includes("package.json#scripts") && scriptsOf(file.before) !== scriptsOf(file.after)) {
    // A first package.json brings its scripts along.
    if (file.kind === "modified")
      return [{ rule: "protectedPaths", path: file.path, problem: "its scripts are protected (package.json#scripts)" }];
  }
  return [];
}

function specialFiles(file: FileChange): Found[] {
  const add = (problem: string): Found => ({ rule: "specialFiles", path: file.path, problem });
  const found: Found[] = [];
  const parts = bothPaths(file).flatMap((path) => path.split("/"));
  const modes = [file.oldMode, file.newMode];
  if (modes.includes("120000")) found.push(add("is a symbolic link"));
  if (modes.includes("160000")) found.push(add("is a submodule"));
  if (found.length === 0 && file.oldMode !== null && file.newMode !== null && file.oldMode !== file.newMode) {
    found.push(add(`its mode changes from ${file.oldMode} to ${file.newMode}`));
  }
  if (parts.some((part) => part === ".." || isDotGit(part)) || bothPaths(file).some((path) => path.startsWith("/"))) {
    found.push(add("leads out of the repository, or into git's own files"));
  }
  if (/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029]/u.test(bothPaths(file).join(""))) {
    found.push(add("has invisible characters in its name"));
  }
  return found;
}

function generated(file: FileChange): Found[] {
  const add = (problem: string): Found[] => [{ rule: "generated", path: file.path, problem }];
  if (matchingPattern(file.path, generatedNames) !== null) return add("is built or belongs to others");
  const head = (file.before ?? file.after ?? "").split("\n").slice(0, 5).join("\n");
  if (generatedHeader.test(head)) return add("says that it is generated");
  return file.added.some((line) => line.text.length > 5000) ? add("has lines that nobody can read") : [];
}

function size(files: readonly FileChange[], limits: ChangeRules["size"]): Found[] {
  const lines = files.reduce((sum, file) => sum + file.added.length + file.removed.length, 0);
  const found: Found[] = [];
  const add = (problem: string): number => found.push({ rule: "size", path: "", problem });
  if (files.length > limits.files) add(`changes ${files.length} files; more than ${limits.files} are hard to review`);
  if (lines > limits.lines) add(`changes ${lines} lines; more than ${limits.lines} are hard to review`);
  return found;
}

function secrets(files: readonly FileChange[]): Found[] {
  const found = secretsInPatch(files.map((file) => file.text).join("")).filter(({ certain }) => certain);
  return found.map(({ path, line, kind }) => ({
    rule: "secrets",
    // The name itself may be the secret.
    path: line === 0 ? "" : path,
    problem: line === 0 ? `a file name holds ${kind}` : `line ${line} holds ${kind}`,
  }));
}

function hiddenText(file: FileChange): Found[] {
  const line = file.added.find(({ text }) => stripHidden(text).removed > 0);
  if (line === undefined) return [];
  return [
    { rule: "hiddenText", path: file.path, problem: `line ${line.number} has characters that hide or reorder text` },
  ];
}

function dependencies(file: FileChange): Found[] {
  return newDependencies(file.path, file.before, file.after).map((name) => ({
    rule: "dependencies",
    path: file.path,
    problem: `new or changed dependency: ${name.slice(0, 120)}`,
  }));
}

/** What the rules find in a change, the strictest first; findings of rules that allow are left out. */
export function judgeDiff(files: readonly FileChange[], rules: ChangeRules): RuleFinding[] {
  const patterns = [...rules.protectedPaths.paths, ...rules.protectedPaths.also];
  const found: Found[] = [
    ...files.flatMap((file) => protectedPaths(file, patterns)),
    ...secrets(files),
    ...files.flatMap(specialFiles),
    ...files.flatMap(dependencies),
    ...size(files, rules.size),
    ...files
      .filter((file) => file.binary && file.kind !== "deleted")
      .map((file): Found => ({ rule: "binaries", path: file.path, problem: "is a binary file" })),
    ...files.filter((file) => file.kind !== "deleted").flatMap(generated),
    ...files.flatMap(hiddenText),
  ];
  const actionOf = (rule: Found["rule"]): ChangeRules["secrets"] => {
    if (rule === "protectedPaths" || rule === "size") return rules[rule].action;
    return rules[rule];
  };
  const judged = found.flatMap((one) => {
    const action = actionOf(one.rule);
    return action === "allow" ? [] : [{ ...one, action }];
  });
  return [...judged.filter(({ action }) => action === "refuse"), ...judged.filter(({ action }) => action === "park")];
}

/** One finding in words for people, e.g. `.gitlab-ci.yml is protected`. */
export function findingText({ path, problem }: Pick<RuleFinding, "path" | "problem">): string {
  return path === ""
    ? `the change: ${problem}`
    : /^(?:line|new or changed)/.test(problem)
      ? `${path}: ${problem}`
      : `${path} ${problem}`;
}
