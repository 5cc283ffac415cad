/** What the Jira stand-in remembers: people, projects, issues. */
import type { Adf } from "./adf-schema.ts";

export interface JiraUser {
  readonly accountId: string;
  readonly displayName: string;
  readonly email: string;
  readonly apiToken: string;
  /** Names of groups. */
  readonly groups: readonly string[];
  /** May administer Jira: web hooks, other people's comments. */
  readonly admin: boolean;
}

export interface JiraStatus {
  readonly id: string;
  readonly name: string;
  readonly category: "new" | "indeterminate" | "done";
}

export interface JiraTransition {
  readonly id: string;
  readonly name: string;
  /** Names of the statuses that it starts from; null: from any other. */
  readonly from: readonly string[] | null;
  readonly to: string;
  /** Ids of fields that have to be filled in. */
  readonly requires: readonly string[];
}

export interface JiraRole {
  readonly id: number;
  readonly name: string;
  /** Account ids. */
  readonly users: readonly string[];
  readonly groups: readonly string[];
}

export interface JiraProject {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly statuses: readonly JiraStatus[];
  readonly transitions: readonly JiraTransition[];
  readonly roles: readonly JiraRole[];
}

export interface JiraComment {
  readonly id: string;
  readonly author: JiraUser;
  updateAuthor: JiraUser;
  body: Adf;
  readonly created: number;
  updated: number;
  readonly properties: Map<string, unknown>;
}

export interface JiraRemoteLink {
  readonly id: number;
  readonly globalId: string | null;
  relationship: string | null;
  application: unknown;
  object: { readonly url: string; readonly title: string } & Readonly<Record<string, unknown>>;
}

export interface JiraIssue {
  readonly id: string;
  readonly key: string;
  readonly project: JiraProject;
  readonly type: string;
  summary: string;
  description: Adf | null;
  status: JiraStatus;
  labels: string[];
  priority: string;
  readonly reporter: JiraUser;
  assignee: JiraUser | null;
  readonly created: number;
  updated: number;
  readonly comments: JiraComment[];
  readonly remoteLinks: JiraRemoteLink[];
  readonly properties: Map<string, unknown>;
  /** Oldest first. */
  readonly history: JiraHistory[];
}

/** What changed at once, by whom. Creation is not in it. */
export interface JiraHistory {
  readonly id: string;
  readonly actor: JiraUser;
  readonly created: number;
  readonly items: readonly ChangelogItem[];
}

/** One line of a changelog; `toString` is what Jira calls the new value for people. */
export interface ChangelogItem {
  readonly field: string;
  readonly fieldtype: "jira";
  readonly fieldId: string;
  readonly from: string | null;
  readonly fromString: string | null;
  readonly to: string | null;
  readonly toString: string | null;
}

/** What happened, for the web hooks. */
export type JiraChange =
  | {
      readonly kind: "created";
      readonly issue: JiraIssue;
      readonly actor: JiraUser;
      readonly items: readonly ChangelogItem[];
    }
  | { readonly kind: "deleted"; readonly issue: JiraIssue; readonly actor: JiraUser }
  | {
      readonly kind: "updated";
      readonly issue: JiraIssue;
      readonly actor: JiraUser;
      /** What Jira calls `issue_event_type_name`. */
      readonly type: "issue_updated" | "issue_generic" | "issue_assigned";
      readonly items: readonly ChangelogItem[];
    }
  | {
      readonly kind: "comment_created" | "comment_updated" | "comment_deleted";
      readonly issue: JiraIssue;
      readonly comment: JiraComment;
    };

export interface JiraWorld {
  /** Address of the site; known once the server listens. */
  url: string;
  readonly users: readonly JiraUser[];
  readonly projects: readonly JiraProject[];
  readonly issues: Map<string, JiraIssue>;
  /** Milliseconds since 1970. */
  now(): number;
  nextId(): string;
  /** Told after every change. */
  changed: (change: JiraChange) => void;
}

/** The answer 4xx of Jira, in the shape of its errors. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly errors: Readonly<Record<string, string>>;
  constructor(
    status: number,
    message: string,
    options: { errors?: Record<string, string>; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = status;
    this.errors = options.errors ?? {};
    this.headers = options.headers ?? {};
  }
}

export interface ProjectSpec {
  readonly key: string;
  readonly name?: string;
  /** Default: To Do, In Progress, In Review, Blocked, Done. */
  readonly statuses?: readonly { readonly name: string; readonly category: JiraStatus["category"] }[];
  /** Default: from every status to every other one. */
  readonly transitions?: readonly {
    readonly name: string;
    readonly from?: readonly string[];
    readonly to: string;
    readonly requires?: readonly string[];
  }[];
  /** By name. */
  readonly roles?: Readonly<
    Record<string, { readonly users?: readonly string[]; readonly groups?: readonly string[] }>
  >;
}

const usualStatuses: NonNullable<ProjectSpec["statuses"]> = [
  { name: "To Do", category: "new" },
  { name: "In Progress", category: "indeterminate" },
  { name: "In Review", category: "indeterminate" },
  { name: "Blocked", category: "indeterminate" },
  { name: "Done", category: "done" },
];

/** A project with ids, statuses and workflow filled in. `index` keeps ids of projects apart. */
export function projectFrom(spec: ProjectSpec, index: number): JiraProject {
  const statuses = (spec.statuses ?? usualStatuses).map((status, at) => ({
    ...status,
    id: String(10_000 + index * 100 + at),
  }));
  const transitions = spec.transitions ?? statuses.map(({ name }) => ({ name, to: name }));
  return {
    id: String(10_000 + index),
    key: spec.key,
    name: spec.name ?? spec.key,
    statuses,
    transitions: transitions.map((transition, at) => ({
      id: String(11 + at * 10),
      name: transition.name,
      from: "from" in transition ? (transition.from ?? null) : null,
      to: transition.to,
      requires: "requires" in transition ? (transition.requires ?? []) : [],
    })),
    roles: Object.entries(spec.roles ?? {}).map(([name, role], at) => ({
      id: 10_002 + index * 100 + at,
      name,
      users: role.users ?? [],
      groups: role.groups ?? [],
    })),
  };
}
