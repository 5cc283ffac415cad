/**
 * Cases of the review suite: one folder each, with `case.yaml`, `repo/` (the code as it was), and one folder of files per push. See
 * docs/reviews.md.
 */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { messageOf, UserError } from "../src/domain/errors.ts";
import { FindingKind, Severity } from "../src/domain/review.ts";
import type { Files } from "../src/stand-ins/model/policies/work.ts";
import { readFiles } from "./task.ts";

const text = z.string().trim().min(1);

const Defect = z.object({
  path: text,
  /** A part of the line that is wrong; the first such line of the file. Several lines: the first one. */
  at: z.string().min(1),
  /** How many lines it is. */
  lines: z.number().int().min(1).default(1),
  /** Kinds under which a reviewer may put it, the best first. */
  kinds: z.array(FindingKind).min(1),
  /** Any of these in what is said names the defect, whatever its kind. */
  words: z.array(text).min(1),
  severity: Severity.default("major"),
  /** What a reviewer would say. */
  says: text,
});

const Description = z.object({
  title: text,
  /** Of the merge request. */
  description: z.string().default(""),
  language: text,
  /** Of the ticket; none: the merge request belongs to none. */
  acceptanceCriteria: z.array(text).default([]),
  /** Folders with the files of each push, laid over what was there. */
  pushes: z.array(text).min(1).default(["change"]),
  defects: z.array(Defect).default([]),
  /** What looks wrong and is right. */
  traps: z.array(z.object({ path: text, at: z.string().min(1), why: text })).default([]),
});

export type Defect = z.infer<typeof Defect>;

export interface ReviewCase extends Omit<z.infer<typeof Description>, "pushes"> {
  readonly name: string;
  readonly folder: string;
  /** The files of each push. */
  readonly pushes: readonly Files[];
  /** All files as they are after each push. */
  readonly trees: readonly Files[];
}

/** The number of the first line that holds a text, from 1; null when none does. */
export function lineOf(content: string | undefined, at: string): number | null {
  const index = (content ?? "").split("\n").findIndex((line) => line.includes(at));
  return index < 0 ? null : index + 1;
}

/** What is wrong with a case that looks right: places that are nowhere. */
function misplaced(loaded: ReviewCase): string[] {
  return [...loaded.defects, ...loaded.traps]
    .filter(({ path: file, at }) => loaded.trees.every((tree) => lineOf(tree[file], at) === null))
    .map(({ path: file, at }) => `${loaded.name}: no push has "${at}" in ${file}`);
}

async function loadCase(folder: string): Promise<ReviewCase | string[]> {
  const name = path.basename(folder);
  let raw: unknown;
  try {
    raw = parse(await readFile(path.join(folder, "case.yaml"), "utf8"));
  } catch (error) {
    return [`${name}/case.yaml: ${messageOf(error)}`];
  }
  const checked = Description.safeParse(raw);
  if (!checked.success) {
    return checked.error.issues.map(
      (issue) => `${name}/case.yaml: ${issue.path.join(".") || "(top)"}: ${issue.message}`,
    );
  }
  const missing = ["repo", ...checked.data.pushes].filter((part) => !existsSync(path.join(folder, part)));
  if (missing.length > 0) return missing.map((part) => `${name}: there is no folder ${part}/`);
  const start = (await readFiles(path.join(folder, "repo"))) ?? {};
  const pushes = await Promise.all(
    checked.data.pushes.map(async (part) => (await readFiles(path.join(folder, part))) ?? {}),
  );
  const trees: Files[] = [];
  for (const push of pushes) trees.push({ ...(trees.at(-1) ?? start), ...push });
  const loaded: ReviewCase = { ...checked.data, name, folder, pushes, trees };
  const mistakes = misplaced(loaded);
  return mistakes.length > 0 ? mistakes : loaded;
}

/**
 * The cases of a folder, by name. `only` keeps those whose name contains it.
 * @throws UserError that lists every mistake in the cases, or says that there is none
 */
export async function loadReviewCases(directory: string, only = ""): Promise<ReviewCase[]> {
  const names = (await readdir(directory, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() && existsSync(path.join(directory, entry.name, "case.yaml")))
    .map((entry) => entry.name)
    .filter((name) => name.includes(only))
    .sort();
  const loaded = await Promise.all(names.map((name) => loadCase(path.join(directory, name))));
  const mistakes = loaded.flatMap((one) => (Array.isArray(one) ? one : []));
  if (mistakes.length > 0) throw new UserError(mistakes.join("\n"));
  const cases = loaded.flatMap((one) => (Array.isArray(one) ? [] : [one]));
  if (cases.length === 0) throw new UserError(`${directory} has no case that matches "${only}"`);
  return cases;
}
