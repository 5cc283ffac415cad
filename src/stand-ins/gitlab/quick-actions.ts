/**
 * Quick actions as GitLab finds them in descriptions and notes (lib/gitlab/quick_actions/extractor.rb): a known name at the very start of a line,
 * outside code, HTML blocks and `>>>` quotes. They run with the rights of whoever wrote the text, through the API too.
 */

/** Names that GitLab knows on merge requests, issues and work items (docs.gitlab.com/user/project/quick_actions). */
export const quickActionNames = [
  "add_child",
  "add_contacts",
  "add_email",
  "add_parent",
  "approve",
  "assign",
  "assign_reviewer",
  "award",
  "blocked_by",
  "blocks",
  "board_move",
  "cc",
  "checkin_reminder",
  "child_epic",
  "clear_health_status",
  "clear_weight",
  "clone",
  "close",
  "confidential",
  "convert_to_ticket",
  "copy_metadata",
  "create_merge_request",
  "done",
  "draft",
  "due",
  "duplicate",
  "duo_code_review",
  "epic",
  "estimate",
  "estimate_time",
  "health_status",
  "invite_email",
  "iteration",
  "label",
  "labels",
  "link",
  "linked_items",
  "lock",
  "mark_as_todo",
  "merge",
  "milestone",
  "move",
  "page",
  "promote_to",
  "promote_to_incident",
  "publish",
  "reaction",
  "react",
  "ready",
  "reassign",
  "reassign_reviewer",
  "rebase",
  "relabel",
  "relate",
  "remove_child",
  "remove_child_epic",
  "remove_contacts",
  "remove_due_date",
  "remove_email",
  "remove_epic",
  "remove_estimate",
  "remove_iteration",
  "remove_milestone",
  "remove_parent",
  "remove_parent_epic",
  "remove_time_spent",
  "remove_zoom",
  "remove_label",
  "reopen",
  "request_changes",
  "request_review",
  "review",
  "run_pipeline",
  "set_parent",
  "severity",
  "ship",
  "shrug",
  "spend",
  "spend_time",
  "spent",
  "start_review",
  "status",
  "submit_review",
  "subscribe",
  "substitute",
  "tableflip",
  "tag",
  "target_branch",
  "timeline",
  "title",
  "todo",
  "type",
  "unapprove",
  "unassign",
  "unassign_reviewer",
  "unlabel",
  "unlink",
  "unlock",
  "unrelate",
  "unsubscribe",
  "weight",
  "wip",
  "zoom",
] as const;

export interface QuickAction {
  readonly name: string;
  readonly argument: string;
}

/** Alternatives are tried in order at each place; only the last one is a command, the others are text that hides commands. */
const pattern = new RegExp(
  [
    "(?<code>^```.*?(?:\\n```\\s*?$|(?![\\s\\S])))",
    "(?<html>^<[^>\\n]+?>\\n.+?\\n</[^>\\n]+?>$)",
    "(?<quote>^>>>\\s*?\\n.+?\\n>>>\\s*?$)",
    "(?<inline>^[^\\n]*`\\n+[^`]+?\\n*`$)",
    `^/(?<name>${[...quickActionNames].sort((a, b) => b.length - a.length).join("|")})(?:[ ](?<argument>[^\\n]*))?[^\\S\\n]*(?:\\n|(?![\\s\\S]))`,
  ].join("|"),
  "gims",
);

/** The text without its quick actions, and the quick actions in order. */
export function extractQuickActions(text: string): { text: string; actions: QuickAction[] } {
  const actions: QuickAction[] = [];
  const kept = text.replaceAll("\r", "").replace(pattern, (whole: string, ...rest: unknown[]) => {
    const groups = rest.at(-1) as Record<string, string | undefined>;
    if (groups.name === undefined) return whole;
    actions.push({ name: groups.name.toLowerCase(), argument: (groups.argument ?? "").trim() });
    return "";
  });
  return { text: actions.length === 0 ? text : kept.trim(), actions };
}
