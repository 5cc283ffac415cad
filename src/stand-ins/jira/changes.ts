/** What can happen to an issue. Each function refuses what Jira refuses and tells the world what it changed. */
import { checkedLabels, checkedSummary, checkedText, checkedUser, item } from "./checked.ts";
import { adfToWiki } from "./rich-text.ts";
import { type ChangelogItem, type JiraIssue, type JiraUser, type JiraWorld, Refusal } from "./world.ts";

export interface NewIssue {
  readonly project: string;
  readonly summary: unknown;
  readonly type: string;
  readonly description: unknown;
  readonly labels: readonly unknown[];
  readonly assignee: unknown;
}

/** Throws Refusal 400 for an unknown project and for fields that Jira refuses. */
export function createIssue(world: JiraWorld, actor: JiraUser, input: NewIssue): JiraIssue {
  const project = world.projects.find((one) => one.key === input.project || one.id === input.project);
  if (project === undefined) throw new Refusal(400, "", { errors: { project: "Specify a valid project ID or key" } });
  const count = [...world.issues.values()].filter((issue) => issue.project === project).length;
  const last = [...world.issues.keys()]
    .filter((key) => key.startsWith(`${project.key}-`))
    .map((key) => Number(key.slice(project.key.length + 1)));
  const status = project.statuses[0];
  if (status === undefined) throw new Error(`project ${project.key} has no statuses`);
  const now = world.now();
  const issue: JiraIssue = {
    id: world.nextId(),
    key: `${project.key}-${Math.max(count, ...last) + 1}`,
    project,
    type: input.type,
    summary: checkedSummary(input.summary),
    description: input.description == null ? null : checkedText("description", "Description", input.description),
    status,
    labels: [...new Set(checkedLabels(input.labels))].sort(),
    priority: "Medium",
    reporter: actor,
    assignee: input.assignee === undefined ? null : checkedUser(world, "assignee", input.assignee),
    created: now,
    updated: now,
    comments: [],
    remoteLinks: [],
    properties: new Map(),
    history: [],
  };
  world.issues.set(issue.key, issue);
  const items = [
    ...(issue.description ? [item("description", null, adfToWiki(issue.description))] : []),
    ...(issue.labels.length > 0 ? [item("labels", null, issue.labels.join(" "))] : []),
    item("reporter", null, actor.displayName, [null, actor.accountId]),
    { ...item("status", null, status.name, [null, status.id]), field: "Status" },
    item("summary", null, issue.summary),
  ];
  world.changed({ kind: "created", issue, actor, items });
  return issue;
}

/** Throws Refusal 400 unless the actor may. */
export function deleteIssue(world: JiraWorld, actor: JiraUser, issue: JiraIssue): void {
  if (!actor.admin && issue.reporter !== actor) {
    throw new Refusal(403, "You do not have permission to delete issues in this project.");
  }
  world.issues.delete(issue.key);
  world.changed({ kind: "deleted", issue, actor });
}

/** `update.labels` in Jira's words: a list of one-key objects, applied in order. */
function editedLabels(present: readonly string[], operations: unknown): string[] {
  if (!Array.isArray(operations)) throw new Refusal(400, "", { errors: { labels: "data was not an array" } });
  let labels = [...present];
  for (const operation of operations as Record<string, unknown>[]) {
    if ("set" in operation && Array.isArray(operation.set)) labels = checkedLabels(operation.set);
    else if ("add" in operation) labels = [...labels, ...checkedLabels([operation.add])];
    else if ("remove" in operation) labels = labels.filter((label) => label !== operation.remove);
    else throw new Refusal(400, "", { errors: { labels: "Unsupported operation. Must be one of add, set, remove." } });
  }
  return labels;
}

/** Changes fields as `PUT /issue/{key}` does: all of it or nothing. Throws Refusal 400. */
export function editIssue(
  world: JiraWorld,
  actor: JiraUser,
  issue: JiraIssue,
  input: { fields: Readonly<Record<string, unknown>>; update: Readonly<Record<string, unknown>> },
): void {
  const items: ChangelogItem[] = [];
  const next = { ...issue };
  for (const [field, value] of Object.entries(input.fields)) {
    if (field in input.update) {
      throw new Refusal(400, "", {
        errors: { [field]: `Field '${field}' cannot appear in both 'fields' and 'update'` },
      });
    }
    if (field === "summary") next.summary = checkedSummary(value);
    else if (field === "description")
      next.description = value === null ? null : checkedText(field, "Description", value);
    else if (field === "labels") next.labels = checkedLabels(Array.isArray(value) ? value : [value]);
    else if (field === "assignee") next.assignee = checkedUser(world, field, value);
    else throw new Refusal(400, "", { errors: { [field]: unknownField(field) } });
  }
  for (const [field, operations] of Object.entries(input.update)) {
    if (field !== "labels") throw new Refusal(400, "", { errors: { [field]: unknownField(field) } });
    next.labels = editedLabels(issue.labels, operations);
  }
  next.labels = [...new Set(next.labels)].sort();
  if (next.summary !== issue.summary) items.push(item("summary", issue.summary, next.summary));
  const [before, after] = [adfToWiki(issue.description), adfToWiki(next.description)];
  if (before !== after) items.push(item("description", before, after));
  const [labelled, relabelled] = [issue.labels.join(" "), next.labels.join(" ")];
  if (labelled !== relabelled) items.push(item("labels", labelled, relabelled));
  if (next.assignee !== issue.assignee) {
    const ids: [string | null, string | null] = [issue.assignee?.accountId ?? null, next.assignee?.accountId ?? null];
    items.push(item("assignee", issue.assignee?.displayName ?? null, next.assignee?.displayName ?? null, ids));
  }
  const { summary, description, labels, assignee } = next;
  Object.assign(issue, { summary, description, labels, assignee });
  if (items.length === 0) return;
  issue.updated = world.now();
  const onlyAssigned = items.every((one) => one.fieldId === "assignee");
  world.changed({ kind: "updated", issue, actor, type: onlyAssigned ? "issue_assigned" : "issue_updated", items });
}

function unknownField(field: string): string {
  return `Field '${field}' cannot be set. It is not on the appropriate screen, or unknown.`;
}

/** The transitions that start from the issue's status. */
export function transitionsOf(issue: JiraIssue): JiraIssue["project"]["transitions"] {
  return issue.project.transitions.filter((one) =>
    one.from === null ? one.to !== issue.status.name : one.from.includes(issue.status.name),
  );
}

/** Throws Refusal 400 when the transition is not available or lacks a field. */
export function moveIssue(
  world: JiraWorld,
  actor: JiraUser,
  issue: JiraIssue,
  input: { transition: unknown; fields: Readonly<Record<string, unknown>> },
): void {
  if (input.transition === undefined) throw new Refusal(400, "Missing 'transition' identifier");
  const transition = transitionsOf(issue).find((one) => one.id === String(input.transition));
  if (transition === undefined) {
    throw new Refusal(
      400,
      "It seems that you have tried to perform a workflow operation that is not valid for the current state of this issue.",
    );
  }
  const missing = transition.requires.filter((field) => input.fields[field] === undefined);
  if (missing.length > 0) {
    throw new Refusal(400, "", {
      errors: Object.fromEntries(missing.map((field) => [field, `${field} is required.`])),
    });
  }
  const from = issue.status;
  const to = issue.project.statuses.find((status) => status.name === transition.to);
  if (to === undefined) throw new Error(`the workflow of ${issue.project.key} knows no status ${transition.to}`);
  issue.status = to;
  issue.updated = world.now();
  const items = [item("status", from.name, to.name, [from.id, to.id])];
  world.changed({ kind: "updated", issue, actor, type: "issue_generic", items });
}
