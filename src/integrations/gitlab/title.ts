/** A merge request is a draft when its title says so: there is no field for it to write (docs.gitlab.com/user/project/merge_requests/drafts). */

/** GitLab's own rule: any run of `Draft:`, `[Draft]` or `(Draft)` at the start, in any case. */
const draftPrefix = /^(?:\s*(?:\[draft\]|\(draft\)|draft:))+\s*/i;

/** GitLab refuses longer ones with 400. */
const TITLE_LIMIT = 255;

/** The title without its draft prefix. */
export function bareTitle(title: string): string {
  return title.replace(draftPrefix, "").trim();
}

/** The title as GitLab wants it: one line, at most 255 characters, `Draft: ` in front when it is one. */
export function printTitle(title: string, draft: boolean): string {
  const prefix = draft ? "Draft: " : "";
  const line = bareTitle(title.replace(/\s+/g, " "));
  const room = TITLE_LIMIT - prefix.length;
  const characters = [...line];
  const cut =
    characters.length > room
      ? `${characters
          .slice(0, room - 1)
          .join("")
          .trimEnd()}…`
      : line;
  return prefix + cut;
}

/**
 * The title an existing merge request should have. Title is ours, except that a person who only took the draft prefix away
 * is not contradicted.
 */
export function wantedTitle(current: string, title: string, draft: boolean): string {
  const printed = printTitle(title, draft);
  const undraftedByPerson = draft && current === bareTitle(current) && bareTitle(current) === bareTitle(printed);
  return undraftedByPerson ? current : printed;
}
