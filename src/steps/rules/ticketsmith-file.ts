/**
 * `.ticketsmith.yaml`: what a repository may say about itself. It is read from the default branch only, so that no change can set the
 * rules by which it is judged, and it holds only what can do no harm: commands that run in the sandbox, and advice.
 */
import { parseDocument } from "yaml";
import { z } from "zod";
import { defaultCommands } from "../../agents/agent.ts";
import { stripHidden } from "../../platform/hidden-text.ts";
import type { ProjectPolicy } from "../../platform/policy.ts";
import { splitPath } from "../../workspace/paths.ts";

export const ruleFile = ".ticketsmith.yaml";
export const mostRuleBytes = 16_000;

/** Kept with the run: a change of the file while a run is under way changes nothing for it. */
export const RepositoryRules = z.object({
  test: z.array(z.string()).min(1).optional(),
  lint: z.array(z.string()).min(1).optional(),
  format: z.array(z.string()).min(1).optional(),
  reports: z.object({ junit: z.string().optional(), coverage: z.string().optional() }).optional(),
  /** Advice to whoever works on the code. Data, as the code is. */
  instructions: z.string().default(""),
  /** What was found in the file and not taken, for people. */
  ignored: z.array(z.string()).default([]),
});
export type RepositoryRules = z.infer<typeof RepositoryRules>;

export const noRules: RepositoryRules = { instructions: "", ignored: [] };

/** Besides the runners of tests: what checks and formats code. No shell: it would make one program out of all. */
const tools = [
  ...["eslint", "biome", "prettier", "tsc", "ruff", "black", "flake8", "mypy", "pylint", "gofmt", "golangci-lint"],
  ...["rustfmt", "clang-format", "rubocop", "phpcs", "swift", "mix"],
];
const programs: ReadonlySet<string> = new Set([...defaultCommands, ...tools]);

const word = z
  .string()
  .min(1)
  .max(300)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  .regex(/^[^\u0000-\u001f\u007f]*$/);

/** A list of words, or a text of plain words: `npm test`. */
const Command = z
  .union([
    z.array(word).min(1).max(30),
    z
      .string()
      .regex(/^[\w@%+=:,./-]+( [\w@%+=:,./-]+)*$/)
      .max(500)
      .transform((text) => text.split(" ")),
  ])
  .refine(([program = ""]) => programs.has(program) || isOwnProgram(program));

/** `./gradlew`, `bin/test`: a file of the repository. */
function isOwnProgram(program: string): boolean {
  return program.includes("/") && isInside(program);
}

function isInside(path: string): boolean {
  try {
    return splitPath(path).length > 0;
  } catch {
    return false;
  }
}

const ReportPath = z.string().max(300).refine(isInside);

const shapes = {
  test: Command,
  lint: Command,
  format: Command,
  reports: z.strictObject({ junit: ReportPath.optional(), coverage: ReportPath.optional() }),
  instructions: z
    .string()
    .max(2000)
    .transform((text) => stripHidden(text).text.trim()),
} as const;

/** What is wanted of a value that is not taken. */
const wanted: Readonly<Record<keyof typeof shapes, string>> = {
  test: 'must be a known program with its arguments as a list, e.g. ["npm", "test"]',
  lint: 'must be a known program with its arguments as a list, e.g. ["npm", "run", "lint"]',
  format: 'must be a known program with its arguments as a list, e.g. ["npx", "prettier", "--write", "."]',
  reports: "must have only junit and coverage, paths inside the repository",
  instructions: "must be a text of at most 2000 characters",
};

const mostNotes = 20;

/** Reads the file's text. Never throws: what is not understood is ignored, and told in `ignored`. */
export function parseRules(text: string): RepositoryRules {
  if (Buffer.byteLength(text) > mostRuleBytes)
    return { ...noRules, ignored: [`it is larger than ${mostRuleBytes} bytes`] };
  let value: unknown;
  try {
    const document = parseDocument(text, { logLevel: "silent", schema: "core", merge: false });
    if (document.errors.length > 0) return { ...noRules, ignored: ["it is not YAML"] };
    value = document.toJS({ maxAliasCount: 0 });
  } catch {
    // Aliases: nothing here needs them, and they can be made to grow without end.
    return { ...noRules, ignored: ["it is not plain YAML"] };
  }
  if (value === null || value === undefined) return noRules;
  if (typeof value !== "object" || Array.isArray(value))
    return { ...noRules, ignored: ["it is not a list of settings"] };
  const rules: Record<string, unknown> = {};
  const ignored: string[] = [];
  for (const [key, given] of Object.entries(value)) {
    const shown = JSON.stringify(key.slice(0, 60));
    if (!Object.hasOwn(shapes, key)) {
      ignored.push(`${shown} is not a repository's to set`);
      continue;
    }
    const name = key as keyof typeof shapes;
    const checked = shapes[name].safeParse(given);
    if (checked.success) rules[name] = checked.data;
    else ignored.push(`${shown} ${wanted[name]}`);
  }
  return RepositoryRules.parse({ ...rules, ignored: ignored.slice(0, mostNotes) });
}

/** The project's policy with what the repository adds. Where the operator has said something, that stands. */
export function withRules(project: ProjectPolicy, rules: RepositoryRules): ProjectPolicy {
  const test = project.test ?? rules.test;
  const { junit, coverage } = rules.reports ?? {};
  const reports = project.reports ?? {
    ...(junit === undefined ? {} : { junit }),
    ...(coverage === undefined ? {} : { coverage }),
  };
  return { ...project, ...(test === undefined ? {} : { test }), reports };
}
