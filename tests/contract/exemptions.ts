/**
 * Where the descriptions are known to be wrong or to have gaps. Each entry comes with a request that needs it; a test fails
 * for entries that are needed no longer.
 */
import type { Service } from "./descriptions.ts";

export interface Exemption {
  readonly service: Service;
  /** Of `METHOD /path`. */
  readonly call: RegExp;
  /** Of the broken rule. */
  readonly rule: RegExp;
  readonly reason: string;
  /** A request that is fine and breaks the rule. */
  readonly example: {
    readonly method: string;
    readonly path: string;
    readonly query?: string;
    readonly body?: unknown;
  };
}

export const exemptions: readonly Exemption[] = [
  {
    service: "gitlab",
    call: /^(GET|POST) \/(?!api\/)[^?]+\.git\/(info\/refs|git-upload-pack|git-receive-pack)$/,
    rule: /^no such path is described$/,
    reason: "Git's smart HTTP protocol, described by git (gitprotocol-http) and not by GitLab",
    example: { method: "GET", path: "/acme/shop.git/info/refs", query: "?service=git-upload-pack" },
  },
  {
    service: "gitlab",
    call: /^GET \/api\/v4\/user$/,
    rule: /^no such path is described$/,
    reason: "in the documentation (docs.gitlab.com/api/users), but GitLab's generated file leaves it out",
    example: { method: "GET", path: "/api/v4/user" },
  },
  {
    service: "gitlab",
    call: /^GET \/api\/v4\/users\/\d+$/,
    rule: /^no such path is described$/,
    reason: "in the documentation (docs.gitlab.com/api/users), but GitLab's generated file leaves it out",
    example: { method: "GET", path: "/api/v4/users/11" },
  },
  {
    service: "gitlab",
    call: /^(GET|POST) \/api\/v4\/projects\/[^/]+\/jobs\/\d+(\/trace|\/retry)?$/,
    rule: /^path parameter id: \/ must be integer$/,
    reason: "takes the path of a project as all others do (docs.gitlab.com/api/jobs)",
    example: { method: "GET", path: "/api/v4/projects/acme%2Fshop/jobs/2/trace" },
  },
  {
    service: "gitlab",
    call: /^POST \/api\/v4\/projects\/[^/]+\/jobs\/\d+\/retry$/,
    rule: /^a body where none is described$/,
    reason: "takes inputs of the job (docs.gitlab.com/api/jobs); an empty object is none",
    example: { method: "POST", path: "/api/v4/projects/acme%2Fshop/jobs/2/retry", body: {} },
  },
  {
    service: "gitlab",
    call: /\/merge_requests\/\d+\/notes\/\d+\/award_emoji$/,
    rule: /^path parameter id: \/ must be integer$/,
    reason: "takes the path of a project as all others do (docs.gitlab.com/api/emoji_reactions)",
    example: {
      method: "POST",
      path: "/api/v4/projects/acme%2Fshop/merge_requests/1/notes/2/award_emoji",
      body: { name: "eyes" },
    },
  },
  {
    service: "gitlab",
    call: /^GET \/api\/v4\/projects\/[^/]+\/merge_requests\/\d+\/(discussions|draft_notes)$/,
    rule: /^query parameter (per_page|page) is not described$/,
    reason: "lists have pages (docs.gitlab.com/api/rest, offset-based pagination)",
    example: {
      method: "GET",
      path: "/api/v4/projects/acme%2Fshop/merge_requests/1/discussions",
      query: "?per_page=100",
    },
  },
  {
    service: "gitlab",
    call: /\/merge_requests\/\d+\/(draft_notes\/bulk_publish|discussions\/[0-9a-f]+)$/,
    rule: /^a body where none is described$/,
    reason: "gitbeaker sends an empty object with every POST and PUT",
    example: {
      method: "POST",
      path: "/api/v4/projects/acme%2Fshop/merge_requests/1/draft_notes/bulk_publish",
      body: {},
    },
  },
  {
    service: "gitlab",
    call: /^GET \/api\/v4\/projects\/[^/]+\/push_rule$/,
    rule: /^no such path is described$/,
    reason:
      "in the documentation (docs.gitlab.com/api/project_push_rules); the generated file leaves most of Premium out",
    example: { method: "GET", path: "/api/v4/projects/acme%2Fshop/push_rule" },
  },
  {
    service: "gitlab",
    call: /^GET \/api\/v4\/projects\/[^/]+\/merge_requests\/\d+\/approvals$/,
    rule: /^path parameter id: \/ must be integer$/,
    reason: "takes the path of a project as all others do (docs.gitlab.com/api/merge_request_approvals)",
    example: { method: "GET", path: "/api/v4/projects/acme%2Fshop/merge_requests/1/approvals" },
  },
];
