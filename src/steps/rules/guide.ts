/** How a repository wants to be worked on: its own `AGENTS.md` and the advice in `.ticketsmith.yaml`, as data for agents. */

import { capped, dataSection } from "../../agents/data.ts";
import type { Workspace } from "../../domain/ports.ts";
import type { CodeProject } from "../../domain/ticket.ts";
import { textInside } from "../../workspace/tree.ts";
import { groundOf } from "../ground.ts";
import type { StepContext } from "../step.ts";
import { mostRuleBytes, noRules, parseRules, type RepositoryRules, ruleFile } from "./ticketsmith-file.ts";

/** Most of a root `AGENTS.md` that goes into a task, bytes. */
const mostGuideBytes = 4_000;

/** Reads the rules on a repository's default branch. `opened` is an untouched checkout of `branch`. */
export async function readRules(
  context: StepContext,
  project: CodeProject,
  opened: { readonly workspace: Workspace; readonly branch: string },
): Promise<RepositoryRules> {
  const { workspaces } = context.services;
  const isDefault = opened.branch === project.defaultBranch;
  const text = isDefault
    ? await textInside(opened.workspace.root, ruleFile, mostRuleBytes)
    : await workspaces.readFromDefaultBranch({ project, path: ruleFile, maxBytes: mostRuleBytes });
  const rules = text === null ? noRules : parseRules(text);
  if (rules.ignored.length > 0) {
    context.log.warn("parts of the repository's .ticketsmith.yaml were ignored", { ignored: rules.ignored });
  }
  return rules;
}

/** Reads the root `AGENTS.md` of an untouched checkout, shortened; empty when there is none. */
export async function readGuide(workspace: Workspace): Promise<string> {
  return capped(((await textInside(workspace.root, "AGENTS.md", 256_000)) ?? "").trim(), mostGuideBytes);
}

/** The section for an agent's task; empty when the repository says nothing about itself. */
export function guideSection(context: StepContext): string {
  const { guide, rules } = groundOf(context);
  const text = [guide, rules.instructions].filter((part) => part.trim() !== "").join("\n\n");
  if (text === "") return "";
  return dataSection(
    "How this repository is worked on, by its maintainers: follow it in code, style and commands",
    text,
  );
}
