/** The pages that people open in the demo: the list of tickets and one ticket. */
import { escapeHtml, type Route, type StandInReply } from "../server.ts";
import { adfToHtml } from "./rich-text.ts";
import type { JiraComment, JiraIssue, JiraStatus, JiraUser, JiraWorld } from "./world.ts";

const style = `
:root { color-scheme: light dark; --ink: #172b4d; --soft: #5e6c84; --line: #dfe1e6; --paper: #fff; --sheet: #f7f8fa; --link: #0052cc; }
@media (prefers-color-scheme: dark) { :root { --ink: #dfe3ea; --soft: #9aa7bb; --line: #38414f; --paper: #1d2229; --sheet: #161a1f; --link: #7ab0ff; } }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--sheet); }
header { padding: 14px 28px; background: #0747a6; color: #fff; font-weight: 600; }
header a { color: inherit; text-decoration: none; }
main { max-width: 980px; margin: 28px auto; padding: 0 20px; }
article { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: 24px 28px; }
h1 { font-size: 24px; margin: 4px 0 14px; } article > h2 { font-size: 15px; margin: 28px 0 10px; color: var(--soft); }
.comment h1 { font-size: 20px; } .comment h2 { font-size: 17px; } .comment h1, .comment h2, .comment h3 { margin: 14px 0 6px; }
li > p, td > p, th > p { margin: 0; }
a { color: var(--link); } .soft { color: var(--soft); }
.lozenge, .label { display: inline-block; border-radius: 4px; padding: 1px 8px; font-size: 12px; font-weight: 600; }
.new { background: #dfe1e6; color: #42526e; } .indeterminate { background: #deebff; color: #0747a6; } .done { background: #e3fcef; color: #006644; }
.label { background: var(--sheet); border: 1px solid var(--line); font-weight: 400; }
table { border-collapse: collapse; } th, td { border: 1px solid var(--line); padding: 5px 10px; text-align: left; vertical-align: top; }
table.list { width: 100%; background: var(--paper); border-radius: 8px; }
pre { background: var(--sheet); border: 1px solid var(--line); border-radius: 6px; padding: 10px 14px; overflow-x: auto; }
code { font: 13px/1.5 ui-monospace, monospace; } blockquote { margin: 8px 0; padding-left: 14px; border-left: 3px solid var(--line); }
.comment { border-top: 1px solid var(--line); padding: 14px 0 4px; } .comment:target { background: #fffae6; color: #172b4d; }
.avatar { display: inline-grid; place-items: center; width: 28px; height: 28px; border-radius: 50%; background: #6554c0; color: #fff; font-size: 11px; font-weight: 700; margin-right: 8px; }
dl { display: grid; grid-template-columns: 110px 1fr; gap: 6px 12px; margin: 0; } dt { color: var(--soft); } dd { margin: 0; }
.task { list-style: none; margin-left: -1.2em; }
`;

function page(title: string, body: string): StandInReply {
  return {
    status: 200,
    headers: { "content-type": "text/html; charset=utf-8" },
    body: `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${style}</style></head><body><header><a href="/">Jira (stand-in)</a></header><main>${body}</main></body></html>`,
  };
}

function lozenge(status: JiraStatus): string {
  return `<span class="lozenge ${status.category}">${escapeHtml(status.name)}</span>`;
}

function labels(issue: JiraIssue): string {
  return issue.labels.map((label) => `<span class="label">${escapeHtml(label)}</span>`).join(" ") || "none";
}

function initials(user: JiraUser): string {
  const letters = user.displayName.split(/\s+/).map((part) => part[0] ?? "");
  return escapeHtml(letters.slice(0, 2).join("").toUpperCase());
}

function minute(at: number): string {
  return new Date(at).toISOString().slice(0, 16).replace("T", " ");
}

function commentHtml(comment: JiraComment): string {
  const edited = comment.updated > comment.created ? ` · edited ${minute(comment.updated)}` : "";
  return `<section class="comment" id="comment-${comment.id}"><span class="avatar">${initials(comment.author)}</span><strong>${escapeHtml(comment.author.displayName)}</strong> <span class="soft">${minute(comment.created)}${edited}</span>${adfToHtml(comment.body)}</section>`;
}

function issuePage(issue: JiraIssue): StandInReply {
  const links = issue.remoteLinks.map(
    ({ object, relationship }) =>
      `<li>${relationship === null ? "" : `<span class="soft">${escapeHtml(relationship)}</span> `}<a href="${/^https?:/i.test(object.url) ? escapeHtml(object.url) : "#"}">${escapeHtml(object.title)}</a></li>`,
  );
  const description = issue.description === null ? '<p class="soft">No description</p>' : adfToHtml(issue.description);
  return page(
    `${issue.key} ${issue.summary}`,
    `<article><div class="soft">${escapeHtml(issue.project.name)} / ${escapeHtml(issue.key)}</div><h1>${escapeHtml(issue.summary)}</h1>
<dl><dt>Status</dt><dd>${lozenge(issue.status)}</dd><dt>Type</dt><dd>${escapeHtml(issue.type)}</dd><dt>Labels</dt><dd>${labels(issue)}</dd><dt>Reporter</dt><dd>${escapeHtml(issue.reporter.displayName)}</dd><dt>Assignee</dt><dd>${escapeHtml(issue.assignee?.displayName ?? "Unassigned")}</dd></dl>
<h2>Description</h2>${description}
${links.length > 0 ? `<h2>Web links</h2><ul>${links.join("")}</ul>` : ""}
<h2>Comments (${issue.comments.length})</h2>${issue.comments.map(commentHtml).join("")}</article>`,
  );
}

function listPage(world: JiraWorld): StandInReply {
  const rows = [...world.issues.values()]
    .sort((a, b) => b.updated - a.updated)
    .map(
      (issue) =>
        `<tr><td><a href="/browse/${issue.key}">${issue.key}</a></td><td>${escapeHtml(issue.summary)}</td><td>${lozenge(issue.status)}</td><td>${labels(issue)}</td><td class="soft">${minute(issue.updated)}</td></tr>`,
    );
  return page(
    "Tickets",
    `<h1>Tickets</h1><table class="list"><tr><th>Key</th><th>Summary</th><th>Status</th><th>Labels</th><th>Updated</th></tr>${rows.join("")}</table>`,
  );
}

/** Pages need no login. */
export function pageRoutes(world: JiraWorld): Route[] {
  return [
    ["GET", "/", () => listPage(world)],
    [
      "GET",
      "/browse/:key",
      ({ params }) => {
        const issue = world.issues.get((params.key ?? "").toUpperCase());
        return issue === undefined
          ? { ...page("Not found", "<h1>No such ticket</h1>"), status: 404 }
          : issuePage(issue);
      },
    ],
  ];
}
