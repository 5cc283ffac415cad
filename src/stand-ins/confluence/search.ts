/** The part of CQL that the stand-in understands: conditions on space, type, title, text and label, joined by AND. */
import { storageText } from "./storage-format.ts";
import { latest, type Wiki, WikiError, type WikiPage } from "./wiki.ts";

type Condition = (page: WikiPage) => boolean;

const condition =
  /^\s*(?<field>space|type|title|text|label|id)\s*(?<operator>!=|=|!~|~)\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<bare>[\w-]+))\s*/i;

/** Whole words, in any order, `*` at the end of one for "begins with"; case does not matter. */
function hasWords(text: string, query: string): boolean {
  const words: readonly string[] = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const wanted: readonly string[] = query.toLowerCase().match(/[\p{L}\p{N}]+\*?/gu) ?? [];
  return wanted.every((word) =>
    word.endsWith("*") ? words.some((candidate) => candidate.startsWith(word.slice(0, -1))) : words.includes(word),
  );
}

function compile(wiki: Wiki, field: string, operator: string, value: string): Condition {
  const same = operator === "=" || operator === "~";
  const is =
    (test: Condition): Condition =>
    (page) =>
      test(page) === same;
  const key = `${field.toLowerCase()}${operator.at(-1)}`;
  if (key === "space=") {
    const id = wiki.spaces.find((space) => space.key.toLowerCase() === value.toLowerCase())?.id;
    if (id === undefined) throw new WikiError(400, "BAD_REQUEST", `No space with key ${value}`);
    return is((page) => page.spaceId === id);
  }
  if (key === "type=") return is(() => value.toLowerCase() === "page");
  if (key === "id=") return is((page) => page.id === value);
  if (key === "label=") return is((page) => page.labels.includes(value.toLowerCase()));
  if (key === "title=") return is((page) => latest(page).title.toLowerCase() === value.toLowerCase());
  if (key === "title~") return is((page) => hasWords(latest(page).title, value));
  if (key === "text~") return is((page) => hasWords(`${latest(page).title} ${storageText(latest(page).body)}`, value));
  throw new WikiError(400, "BAD_REQUEST", `Could not parse cql: operator ${operator} is not supported by ${field}`);
}

/** Current, indexed pages that the query matches, oldest first. Throws WikiError 400 for what it does not understand. */
export function searchPages(wiki: Wiki, cql: string): WikiPage[] {
  const conditions: Condition[] = [];
  let rest: string = cql.replace(/\border\s+by\s+[\w.]+(?:\s+(?:asc|desc))?\s*$/i, "");
  for (;;) {
    const match = condition.exec(rest);
    if (match?.groups === undefined) throw new WikiError(400, "BAD_REQUEST", `Could not parse cql : ${cql}`);
    const { field = "", operator = "", quoted, bare = "" } = match.groups;
    conditions.push(compile(wiki, field, operator, quoted?.replace(/\\(.)/g, "$1") ?? bare));
    rest = rest.slice(match[0].length);
    if (rest.trim() === "") break;
    const and = /^and\b/i.exec(rest);
    if (and === null) throw new WikiError(400, "BAD_REQUEST", `Could not parse cql : ${cql}`);
    rest = rest.slice(and[0].length);
  }
  return wiki.pages.filter(
    (page) => page.indexed && page.status === "current" && conditions.every((fits) => fits(page)),
  );
}
