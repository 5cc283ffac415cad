/** The part of JQL that programs use to find work: comparisons joined by AND, and ORDER BY. Everything else is refused. */
import { type JiraIssue, Refusal } from "./world.ts";

type Token = { readonly text: string; readonly quoted: boolean };

function refuse(message: string): never {
  throw new Refusal(400, `Error in the JQL Query: ${message}`);
}

function tokensOf(jql: string): Token[] {
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(>=|<=|!=|[=<>(),])|([^\s()=<>!,"']+))/y;
  const tokens: Token[] = [];
  const text = jql.trimEnd();
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const found = pattern.exec(text);
    if (found === null) refuse(`The character at position ${at + 1} is not understood.`);
    const quoted = found[1] ?? found[2];
    tokens.push({ text: quoted?.replace(/\\(.)/g, "$1") ?? found[3] ?? found[4] ?? "", quoted: quoted !== undefined });
  }
  return tokens;
}

type Test = (issue: JiraIssue) => boolean;

/** `2026-03-01`, `2026-03-01 09:30` (read as UTC), `-30m` (also h, d, w) or milliseconds since 1970. */
function timeOf(value: string, now: number): number {
  const relative = /^([+-]?)(\d+)([mhdw])$/.exec(value);
  const units: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
  if (relative !== null) {
    const distance = Number(relative[2]) * (units[relative[3] ?? ""] ?? 0);
    return relative[1] === "-" ? now - distance : now + distance;
  }
  if (/^\d{6,}$/.test(value)) return Number(value);
  const absolute = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?: (\d{1,2}):(\d{2}))?$/.exec(value);
  if (absolute === null) {
    refuse(
      `Date value '${value}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'.`,
    );
  }
  const [year, month, day, hour, minute] = absolute.slice(1).map((part) => Number(part ?? 0));
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute);
}

/** What a field of an issue is compared by; several for lists. Keys and names ignore case. */
const fieldValues: Readonly<Record<string, (issue: JiraIssue) => readonly string[]>> = {
  project: ({ project }) => [project.key, project.name, project.id],
  key: ({ key, id }) => [key, id],
  issuekey: ({ key, id }) => [key, id],
  labels: ({ labels }) => labels,
  status: ({ status }) => [status.name, status.id],
  issuetype: ({ type }) => [type],
  assignee: ({ assignee }) => (assignee === null ? [] : [assignee.accountId]),
  reporter: ({ reporter }) => [reporter.accountId],
};

function comparison(field: string, operator: string, values: readonly string[], now: number): Test {
  if (field === "updated" || field === "created") {
    const limit = timeOf(values[0] ?? "", now);
    const tests: Record<string, (at: number) => boolean> = {
      ">=": (at) => at >= limit,
      ">": (at) => at > limit,
      "<=": (at) => at <= limit,
      "<": (at) => at < limit,
    };
    const test = tests[operator];
    if (test === undefined) refuse(`The operator '${operator}' is not supported by the '${field}' field.`);
    return (issue) => test(issue[field]);
  }
  const read = fieldValues[field];
  if (read === undefined) {
    refuse(`Field '${field}' does not exist or you do not have permission to view it.`);
  }
  const wanted = new Set(values.map((value) => value.toLowerCase()));
  const has: Test = (issue) => read(issue).some((value) => wanted.has(value.toLowerCase()));
  if (operator === "=" || operator === "in") return has;
  if (operator === "!=" || operator === "not in") return (issue) => !has(issue);
  return refuse(`The operator '${operator}' is not supported by the '${field}' field.`);
}

type Order = { readonly field: "updated" | "created" | "key"; readonly sign: 1 | -1 };

interface Query {
  readonly tests: readonly Test[];
  readonly orders: readonly Order[];
}

/** Parses the subset. Throws Refusal 400 with Jira's kind of message for anything else. */
export function parseJql(jql: string, now: number): Query {
  const tokens = tokensOf(jql);
  let at = 0;
  const isWord = (word: string): boolean => tokens[at]?.quoted === false && tokens[at]?.text.toLowerCase() === word;
  const take = (what: string): Token => tokens[at++] ?? refuse(`Expecting ${what} but got end of query.`);
  const value = (): string => {
    const token = take("a value");
    if (!token.quoted && /^[=<>(),!]+$/.test(token.text)) refuse(`Expecting a value but got '${token.text}'.`);
    return token.text;
  };

  const tests: Test[] = [];
  while (at < tokens.length && !isWord("order")) {
    if (tests.length > 0 && take("'AND'").text.toLowerCase() !== "and") {
      refuse(`Expecting 'AND' but got '${tokens[at - 1]?.text}'.`);
    }
    const field = take("a field name").text.toLowerCase();
    let operator = take("an operator").text.toLowerCase();
    if (operator === "not" && isWord("in")) operator = `not ${take("'in'").text.toLowerCase()}`;
    const values: string[] = [];
    if (operator.endsWith("in")) {
      if (take("'('").text !== "(") refuse("Expecting '(' before a list of values.");
      do values.push(value());
      while (take("',' or ')'").text === ",");
      if (tokens[at - 1]?.text !== ")") refuse("Expecting ')' after a list of values.");
    } else values.push(value());
    tests.push(comparison(field, operator, values, now));
  }
  return { tests, orders: parseOrder(tokens.slice(at)) };
}

function parseOrder(tokens: readonly Token[]): Order[] {
  if (tokens.length === 0) return [];
  const words = tokens.map((token) => token.text.toLowerCase());
  if (words[1] !== "by" || words.length < 3) refuse("Expecting 'ORDER BY' and a field.");
  const parts = words.slice(2).join(" ").split(" , ");
  return parts.map((part) => {
    const [field, direction = "asc", ...rest] = part.split(" ");
    const name = field === "issuekey" ? "key" : field;
    if ((name !== "updated" && name !== "created" && name !== "key") || rest.length > 0) {
      return refuse(`Not able to sort using field '${part}'.`);
    }
    if (direction !== "asc" && direction !== "desc") return refuse(`Expecting 'ASC' or 'DESC' but got '${direction}'.`);
    return { field: name, sign: direction === "asc" ? 1 : -1 };
  });
}

/** Issues that match, in order (without ORDER BY: newest first). Throws Refusal 400, also for a query without restriction. */
export function searchIssues(issues: Iterable<JiraIssue>, jql: string, now: number): JiraIssue[] {
  const query = parseJql(jql, now);
  if (query.tests.length === 0) {
    throw new Refusal(
      400,
      "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.",
    );
  }
  const rankOf = (issue: JiraIssue, field: Order["field"]): number =>
    field === "key" ? Number(issue.key.split("-")[1]) : issue[field];
  return [...issues]
    .filter((issue) => query.tests.every((test) => test(issue)))
    .sort((a, b) => {
      for (const { field, sign } of query.orders) {
        const difference = rankOf(a, field) - rankOf(b, field);
        if (difference !== 0) return sign * difference;
      }
      return Number(b.id) - Number(a.id);
    });
}
