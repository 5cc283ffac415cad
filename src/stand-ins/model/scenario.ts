/** Scenarios: what the scripted model says, turn by turn. One YAML file per ticket. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { messageOf, UserError } from "../../domain/errors.ts";

const isRegExp = (source: string): boolean => {
  try {
    return new RegExp(source) instanceof RegExp;
  } catch {
    return false;
  }
};

const Call = z.strictObject({
  tool: z.string().min(1),
  /** An object is sent as JSON; a string is sent as it stands, for models that write broken JSON. */
  arguments: z.union([z.record(z.string(), z.unknown()), z.string()]).default({}),
});

const Turn = z.strictObject({
  say: z.string().optional(),
  calls: z.array(Call).default([]),
  /** Regular expression (dot matches newlines) for what came since the model's last turn: tool results, or the opening messages. */
  expect: z.string().refine(isRegExp, "is not a regular expression").optional(),

  // Oddities. They strike on every request for this turn, or on the first `times` ones only.
  /** HTTP status to answer with instead; `retryAfter` in seconds. */
  status: z.number().int().min(400).max(599).optional(),
  retryAfter: z.number().min(0).optional(),
  /** Says that the output limit was reached. */
  finish: z.literal("length").optional(),
  refusal: z.string().optional(),
  /** The connection breaks in the middle of the answer. */
  cut: z.boolean().optional(),
  usage: z.literal("none").optional(),
  delayMs: z.number().int().min(0).optional(),
  /** Every call gets the same id, or an empty one. */
  callIds: z.enum(["same", "empty"]).optional(),
  /** This body with status 200, whatever was asked. */
  raw: z.string().optional(),
  times: z.number().int().min(1).optional(),
});
export type Turn = z.infer<typeof Turn>;
/** A turn as it is written down: what has a default may be left out. */
export type WrittenTurn = z.input<typeof Turn>;

export const Scenario = z.strictObject({
  /** Jira key, or `*` for every ticket that has no scenario of its own. */
  ticket: z.string().regex(/^(\*|[A-Z][A-Z0-9]+-\d+)$/, "must be a Jira key such as SHOP-1, or *"),
  agents: z.record(z.string().regex(/^\w+$/), z.array(Turn)),
});
/** A scenario as it is written down: what has a default may be left out. */
export type Scenario = z.input<typeof Scenario>;
/** A checked scenario with its defaults filled in. */
export type CheckedScenario = z.output<typeof Scenario>;

/** `agents.analyst[0].calls` */
function printPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) => (typeof part === "number" ? `[${part}]` : `${i > 0 ? "." : ""}${String(part)}`))
    .join("");
}

/** Checks one turn that was not read from a scenario. Throws UserError with `source`, path and complaint of every mistake. */
export function checkTurn(value: unknown, source: string): Turn {
  const checked = Turn.safeParse(value);
  if (checked.success) return checked.data;
  throw new UserError(
    checked.error.issues.map((issue) => `${source}: ${printPath(issue.path)}: ${issue.message}`).join("\n"),
  );
}

/** Checks one scenario. Throws UserError with `source`, path and complaint of every mistake. */
export function checkScenario(value: unknown, source: string): CheckedScenario {
  const checked = Scenario.safeParse(value);
  if (checked.success) return checked.data;
  const mistakes = checked.error.issues.map(
    (issue) => `${source}: ${printPath(issue.path) || "scenario"}: ${issue.message}`,
  );
  throw new UserError(mistakes.join("\n"));
}

/** Reads every `*.yaml` of a directory. Throws UserError that names file and path of a mistake, or two files for one ticket. */
export async function loadScenarios(directory: string): Promise<CheckedScenario[]> {
  const files = (await readdir(directory)).filter((name) => /\.ya?ml$/.test(name)).sort();
  const owners = new Map<string, string>();
  const scenarios: CheckedScenario[] = [];
  for (const file of files) {
    const scenario = checkScenario(parseYaml(await readFile(join(directory, file), "utf8"), file), file);
    const owner = owners.get(scenario.ticket);
    if (owner !== undefined)
      throw new UserError(`${file}: ticket: ${scenario.ticket} has a scenario in ${owner} already`);
    owners.set(scenario.ticket, file);
    scenarios.push(scenario);
  }
  return scenarios;
}

function parseYaml(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new UserError(`${file}: ${messageOf(error)}`);
  }
}
