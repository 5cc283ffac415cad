/** The ledger of effects as the page shows it. */
import type { Effect, EffectKind, LedgerRow } from "../../domain/effect.ts";
import { effectPills, type Pill, webAddress } from "./words.ts";

export interface LedgerLine {
  readonly kind: string;
  readonly about: string;
  readonly step: string;
  readonly pill: Pill;
  readonly outcome: string;
  readonly url: string | null;
  readonly refId: string;
  readonly error: string;
  readonly attempts: number;
}

const kinds: Readonly<Record<EffectKind, string>> = {
  "jira.status": "Jira comment",
  "jira.note": "Jira comment",
  "jira.transition": "Jira status",
  "jira.labels": "Jira labels",
  "jira.remoteLink": "Jira link",
  "gitlab.branch": "GitLab branch",
  "gitlab.mergeRequest": "GitLab merge request",
  "gitlab.award": "GitLab emoji",
  "gitlab.note": "GitLab comment",
  "gitlab.review": "GitLab review",
  "gitlab.resolve": "GitLab thread",
  "gitlab.description": "GitLab description",
  "gitlab.ready": "GitLab draft",
  "gitlab.merge": "GitLab merge",
  "gitlab.retryJob": "GitLab job",
  "confluence.page": "Confluence page",
};

function aboutOf(effect: Effect): string {
  switch (effect.kind) {
    case "jira.status":
      return `the status comment of ${effect.ticket}`;
    case "jira.note":
      return `${effect.subject} on ${effect.ticket}`;
    case "jira.transition":
      return `${effect.ticket} → ${effect.status}`;
    case "jira.labels":
      return [...effect.add.map((name) => `+${name}`), ...effect.remove.map((name) => `−${name}`)].join(" ");
    case "jira.remoteLink":
      return effect.title;
    case "gitlab.branch":
      return `${effect.branch} in ${effect.repository}`;
    case "gitlab.mergeRequest":
      return `${effect.draft ? "Draft: " : ""}${effect.title}`;
    case "gitlab.award":
      return `:${effect.emoji}: on note ${effect.noteId}, !${effect.iid}`;
    case "gitlab.note":
      return `${effect.subject} on !${effect.iid}`;
    case "gitlab.review":
      return `${effect.findings.length} findings on !${effect.iid}`;
    case "gitlab.resolve":
      return `thread resolved on !${effect.iid}`;
    case "gitlab.description":
      return `our part of the description of !${effect.iid}`;
    case "gitlab.ready":
      return `!${effect.iid} is no draft any more at ${effect.sha.slice(0, 8)}`;
    case "gitlab.merge":
      return `!${effect.iid} at ${effect.sha.slice(0, 8)}`;
    case "gitlab.retryJob":
      return `job ${effect.jobId} of pipeline ${effect.pipelineId} again`;
    case "confluence.page":
      return `${effect.title} (space ${effect.space})`;
  }
}

function outcomeWords({ outcome }: LedgerRow): string {
  if (outcome === "dry_run") return "dry run: not written";
  return outcome === "superseded" ? "not needed: a newer text was ready" : (outcome ?? "");
}

/** One line per row, in order. */
export function readLedger(rows: readonly LedgerRow[]): LedgerLine[] {
  return rows.map((row) => ({
    kind: kinds[row.effect.kind],
    about: aboutOf(row.effect),
    step: row.step,
    pill: effectPills[row.state],
    outcome: outcomeWords(row),
    url: row.ref === null ? null : webAddress(row.ref.url),
    refId: row.ref?.id ?? "",
    error: row.error ?? "",
    attempts: row.attempts,
  }));
}

/** Where the results are: the merge request and the page, once they are written. */
export function resultLinks(rows: readonly LedgerRow[]): { label: string; url: string }[] {
  return rows.flatMap((row) => {
    const url = row.ref === null || row.outcome === "dry_run" ? null : webAddress(row.ref.url);
    if (url === null) return [];
    if (row.effect.kind === "gitlab.mergeRequest") return [{ label: `Merge request !${row.ref?.id ?? ""}`, url }];
    if (row.effect.kind === "confluence.page") return [{ label: "Confluence page", url }];
    return [];
  });
}
