/** Tasks of an evaluation: one folder each, with `task.yaml`, `repo/`, `check/` and perhaps `solution/`. See docs/evaluation.md. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { messageOf, UserError } from "../src/domain/errors.ts";
import type { Files } from "../src/stand-ins/model/policies/work.ts";

/** A command: a list, or one line, which a shell reads when it has more in it than plain words. */
const Command = z.union([z.string().trim().min(1), z.array(z.string()).min(1)]).transform((given) => {
  if (typeof given !== "string") return given;
  return /^[\w@%+=:,./ -]+$/.test(given) ? given.split(/ +/) : ["sh", "-c", given];
});

const Limits = z.object({
  /** From the label to the end of the run. */
  minutes: z.number().positive().default(20),
  usd: z.number().positive().optional(),
  tokens: z.number().int().positive().optional(),
  /** Longest time of one command, the final check included. */
  commandSeconds: z.number().positive().max(3600).default(300),
});

const Description = z.object({
  title: z.string().trim().min(1).max(255),
  description: z.string().default(""),
  acceptanceCriteria: z.array(z.string().trim().min(1)).max(12).default([]),
  language: z.string().default("other"),
  /** How the bot runs the repository's tests. */
  test: Command,
  /** How the right answer is recognised, once check/ is laid over; the same command as `test` when absent. */
  check: Command.optional(),
  /** What the check must print, besides ending with 0: an answer that stops the test runner early is no right answer. */
  expect: z
    .string()
    .refine(
      (source) => {
        try {
          return new RegExp(source) instanceof RegExp;
        } catch {
          return false;
        }
      },
      { error: "is not a regular expression" },
    )
    .optional(),
  /** Programs that must be there, besides the first words of `test` and `check`. */
  requires: z.array(z.string()).default([]),
  limits: Limits.prefault({}),
});

export interface Task extends Omit<z.infer<typeof Description>, "check"> {
  /** Name of the folder. */
  readonly name: string;
  readonly folder: string;
  readonly check: readonly string[];
}

/** Text files below a folder, by path; null when there is no such folder. Other files are left out. */
export async function readFiles(folder: string): Promise<Files | null> {
  if (!existsSync(folder)) return null;
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const pairs = await Promise.all(
    files.sort().map(async (file) => [path.relative(folder, file), await readFile(file)] as const),
  );
  return Object.fromEntries(pairs.flatMap(([name, bytes]) => (bytes.includes(0) ? [] : [[name, bytes.toString()]])));
}

async function loadTask(folder: string): Promise<Task | string[]> {
  const name = path.basename(folder);
  let raw: unknown;
  try {
    raw = parse(await readFile(path.join(folder, "task.yaml"), "utf8"));
  } catch (error) {
    return [`${name}/task.yaml: ${messageOf(error)}`];
  }
  const checked = Description.safeParse(raw);
  const mistakes = checked.success
    ? []
    : checked.error.issues.map((issue) => `${name}/task.yaml: ${issue.path.join(".") || "(top)"}: ${issue.message}`);
  for (const part of ["repo", "check"]) {
    if (!existsSync(path.join(folder, part))) mistakes.push(`${name}: there is no folder ${part}/`);
  }
  if (!checked.success || mistakes.length > 0) return mistakes;
  return { ...checked.data, name, folder, check: checked.data.check ?? checked.data.test };
}

/**
 * The tasks of a suite, by name. `only` keeps those whose name contains it (`*` stands for anything).
 * @throws UserError that lists every mistake in the task files, or says that there is none to run
 */
export async function loadSuite(directory: string, only?: string): Promise<Task[]> {
  if (!existsSync(directory)) throw new UserError(`there is no folder ${directory}`);
  const wanted = new RegExp((only ?? "").replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*"));
  const names = (await readdir(directory, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() && existsSync(path.join(directory, entry.name, "task.yaml")))
    .map((entry) => entry.name)
    .filter((name) => wanted.test(name))
    .sort();
  const loaded = await Promise.all(names.map((name) => loadTask(path.join(directory, name))));
  const mistakes = loaded.flatMap((task) => (Array.isArray(task) ? task : []));
  if (mistakes.length > 0) throw new UserError(mistakes.join("\n"));
  const tasks = loaded.flatMap((task) => (Array.isArray(task) ? [] : [task]));
  if (tasks.length === 0) {
    throw new UserError(`${directory} has no task${only === undefined ? "" : ` that matches "${only}"`}`);
  }
  return tasks;
}
