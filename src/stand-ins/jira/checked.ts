/** What Jira checks before it takes a value; each function throws Refusal 400 in Jira's words. */
import { type Adf, adfProblem, adfText } from "./adf-schema.ts";
import { type ChangelogItem, type JiraUser, type JiraWorld, Refusal } from "./world.ts";

const longestText = 32_767;

/** A document that is not empty, valid and at most 32,767 characters of text. `what` is what Jira calls it. */
export function checkedText(field: string, what: string, value: unknown): Adf {
  if (value === undefined || value === null || value === "") {
    throw new Refusal(400, "", { errors: { [field]: `${what} can not be empty!` } });
  }
  const problem = adfProblem(value);
  if (problem !== null) {
    throw new Refusal(400, `${what} is not valid: ${problem}`, { errors: { [field]: `${what} is not valid!` } });
  }
  if (adfText(value as Adf).length > longestText) {
    const errors = { [field]: "The entered text is too long. It exceeds the allowed limit of 32,767 characters." };
    throw new Refusal(400, "CONTENT_LIMIT_EXCEEDED", { errors });
  }
  return value as Adf;
}

/** Labels without spaces. */
export function checkedLabels(labels: readonly unknown[]): string[] {
  return labels.map((label) => {
    if (typeof label !== "string" || label === "") {
      throw new Refusal(400, "", { errors: { labels: "The label is empty or no text." } });
    }
    if (/\s/.test(label)) {
      throw new Refusal(400, "", { errors: { labels: `The label '${label}' contains spaces which is invalid.` } });
    }
    return label;
  });
}

/** One line, at most 255 characters. */
export function checkedSummary(value: unknown): string {
  if (typeof value !== "string" || value.trim() === "") {
    throw new Refusal(400, "", { errors: { summary: "You must specify a summary of the issue." } });
  }
  if (/[\r\n]/.test(value)) {
    throw new Refusal(400, "", {
      errors: { summary: "The summary is invalid because it contains newline characters." },
    });
  }
  if (value.length > 255) {
    throw new Refusal(400, "", { errors: { summary: "Summary must be less than 255 characters." } });
  }
  return value;
}

/** An account by `{ accountId }`; null stays null. */
export function checkedUser(world: JiraWorld, field: string, value: unknown): JiraUser | null {
  if (value === null) return null;
  const id = typeof value === "object" && value !== null && "accountId" in value ? value.accountId : undefined;
  if (id === null) return null;
  const user = world.users.find((one) => one.accountId === id);
  if (user === undefined) throw new Refusal(400, "", { errors: { [field]: `Specify a valid value for ${field}` } });
  return user;
}

/** One line of a changelog. `ids` are the values for machines, where they differ from those for people. */
export function item(
  fieldId: string,
  from: string | null,
  to: string | null,
  ids?: [string | null, string | null],
): ChangelogItem {
  return {
    field: fieldId,
    fieldtype: "jira",
    fieldId,
    from: ids?.[0] ?? null,
    fromString: from,
    to: ids?.[1] ?? null,
    toString: to,
  };
}
