/** Workflows are data: `config/workflows/<name>.yaml` lists steps by name. A name that no step has is refused at start. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { UserError } from "../domain/errors.ts";
import { steps } from "../steps/index.ts";
import type { Step } from "../steps/step.ts";

const WorkflowFile = z.strictObject({
  name: z.string().regex(/^[a-z][a-z-]*$/),
  steps: z.array(z.string()).min(1),
});

export interface Workflow {
  readonly name: string;
  readonly steps: readonly Step[];
}

export type Workflows = ReadonlyMap<string, Workflow>;

/**
 * Reads all workflows of a folder.
 * @throws UserError naming the file and the mistake
 */
export function loadWorkflows(directory: string): Workflows {
  const workflows = new Map<string, Workflow>();
  for (const file of readdirSync(directory).filter((name) => name.endsWith(".yaml"))) {
    const parsed = WorkflowFile.safeParse(parse(readFileSync(path.join(directory, file), "utf8")));
    if (!parsed.success) throw new UserError(`${path.join(directory, file)}: ${z.prettifyError(parsed.error)}`);
    const list = parsed.data.steps.map((name) => {
      const step = steps.find((candidate) => candidate.name === name);
      if (step === undefined) {
        const known = steps.map((candidate) => candidate.name).join(", ");
        throw new UserError(`${path.join(directory, file)}: there is no step "${name}" (there are: ${known})`);
      }
      return step;
    });
    workflows.set(parsed.data.name, { name: parsed.data.name, steps: list });
  }
  return workflows;
}

/** The step after the given one, or null when that was the last. */
export function stepAfter(workflow: Workflow, name: string): Step | null {
  const at = workflow.steps.findIndex((step) => step.name === name);
  return workflow.steps[at + 1] ?? null;
}
