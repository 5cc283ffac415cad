/** What gitbeaker's resources are made with, and the account behind the token. */
import { Users } from "@gitbeaker/rest";
import type { Actor } from "../../domain/event.ts";
import type { GitLabRequester } from "./requester.ts";
import { checked, UserAnswer } from "./schemas.ts";

export interface Resource {
  /** Address of the instance, without a slash at the end. */
  readonly host: string;
  readonly token: string;
  readonly requesterFn: GitLabRequester;
  readonly queryTimeout: null;
}

export interface Account {
  /** Asks GitLab. */
  whoAmI(): Promise<Actor>;
  /** The same, asked once: a token never changes its account. */
  me(): Promise<Actor>;
}

/** The account of our token. Throws as all of the adapter does. */
export function createAccount(resource: Resource): Account {
  const users = new Users(resource);
  let known: Actor | undefined;
  async function whoAmI(): Promise<Actor> {
    const user = checked(UserAnswer, await users.showCurrentUser(), "user");
    known = { id: String(user.id), name: user.username };
    return known;
  }
  return { whoAmI, me: async () => known ?? whoAmI() };
}

export interface OnMergeRequest {
  readonly repository: string;
  readonly iid: number;
}

/** Path of a merge request below the API's root, for the calls that gitbeaker gets wrong. */
export function pathOf({ repository, iid }: OnMergeRequest): string {
  return `projects/${encodeURIComponent(repository)}/merge_requests/${iid}`;
}

/** Address of a merge request for people; with a note: of the note on it. */
export function addressOf({ host }: Resource, { repository, iid }: OnMergeRequest, noteId?: number): string {
  return `${host}/${repository}/-/merge_requests/${iid}${noteId === undefined ? "" : `#note_${noteId}`}`;
}

/** Follows the pages of a list: the most that GitLab puts on one. `maxPages` only keeps a broken `Link` from going on for ever. */
export const allPages = { perPage: 100, maxPages: 500 } as const;
