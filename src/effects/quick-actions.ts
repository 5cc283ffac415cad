/**
 * GitLab quick actions: lines such as `/merge` that GitLab executes with the poster's rights, also when they come through the API.
 * Sources: docs.gitlab.com/user/project/quick_actions and GitLab's lib/gitlab/quick_actions/extractor.rb (the older version, which
 * reads the text with regular expressions, and the newer one, which looks at paragraphs of the parsed Markdown).
 */
import { parseMarkdown } from "../platform/markdown.ts";

/** Every command name GitLab documents, for issues, merge requests, epics, work items and commits, with their aliases. */
const names: readonly string[] = (
  "add_child add_contacts add_email add_parent approve assign assign_reviewer award blocked_by blocks board_move cc checkin_reminder " +
  "child_epic clear_health_status clear_weight clone close confidential convert_to_ticket copy_metadata copy_metadata_from " +
  "create_merge_request done draft due duplicate epic estimate estimate_time health_status invite_email iteration label labels link " +
  "linked_to lock mark_as_draft merge milestone move page parent_epic ping_rebase_bot promote promote_to promote_to_incident publish " +
  "q ready reassign reassign_reviewer rebase relabel relate remove_child remove_child_epic remove_contacts remove_due_date " +
  "remove_email remove_epic remove_estimate remove_iteration remove_label remove_labels remove_link remove_milestone remove_parent " +
  "remove_parent_epic remove_reviewer remove_start_date remove_time_estimate remove_time_spent remove_zoom reopen request_changes " +
  "request_review requested_changes restore resolve reviewer run_pipeline set_parent severity ship shrug spend spend_time spent " +
  "start_date submit_review subscribe tableflip tag target_branch timeline title to_do todo type unapprove unassign unassign_reviewer " +
  "undraft unlabel unlink unlock unpublish unrelate unsubscribe weight wip zoom"
).split(" ");

const nameAlternatives = [...names].sort((a, b) => b.length - a.length).join("|");
const command = `^/(?<cmd>${nameAlternatives})(?: (?<arg>[^\\n]*))?(?:\\s*\\n|$)`;

/** A line at column 0 that GitLab would run if it took the line for text. Global, for use with `replace`. */
export const commandLine: RegExp = new RegExp(`^/(?=(?:${nameAlternatives})(?:\\s|$))`, "gim");

/** The older extractor: commands at column 0 outside fences, code on its own rows, HTML blocks and `>>>` quotes. */
const olderExtractor = new RegExp(
  [
    "^```.+?\\n```$",
    "^.*`\\n*.+?\\n*`$",
    "^<[^>]+?>\\n.+?\\n<\\/[^>]+?>$",
    "^>>>.+?\\n>>>$",
    // The s flag belongs to the parts above only; `[^\n]` and `\s` read the same with and without it.
    command,
  ].join("|"),
  "gims",
);

/** The newer extractor's pattern, applied to each paragraph of the document. */
const newerExtractor = new RegExp(["`.+?`", "^<[^>]+?>\\n.+?\\n<\\/[^>]+?>$", command].join("|"), "gims");

function finds(pattern: RegExp, text: string): boolean {
  for (const match of text.matchAll(pattern)) if (match.groups?.cmd !== undefined) return true;
  return false;
}

/**
 * Whether GitLab, in its older or its newer way of reading, would execute something in this Markdown.
 * Meant for tests and last checks of short texts: the older pattern backtracks.
 */
export function hasQuickAction(text: string): boolean {
  const content = text.replaceAll("\r", "");
  if (finds(olderExtractor, content)) return true;
  // GitLab's own parser knows `>>>` quotes, ours does not: blank them out, line by line.
  const unquoted = content.replace(/^>>>.+?\n>>>$/gms, (quote) => quote.replace(/[^\n]/g, ""));
  const lines = unquoted.split("\n");
  return parseMarkdown(unquoted).children.some((block) => {
    if (block.type !== "paragraph" || block.position === undefined) return false;
    const { start, end } = block.position;
    return finds(newerExtractor, lines.slice(start.line - 1, end.line).join("\n"));
  });
}
