/** The parts of Jira Cloud's answers that we rely on. Everything else in them may change without breaking us. */
import { z } from "zod";
import type { Actor } from "../../domain/event.ts";

/** Calls that answer 204. Anything else in its place comes from somebody between us and Jira, who may have kept our request. */
export const Nothing = z.union([z.undefined(), z.null(), z.literal(""), z.strictObject({})]);

/** jira.js turns dates into Date objects, unless it found something odd in the answer: then they are still text. */
export const time = z
  .union([z.date(), z.string()])
  .optional()
  .transform((value) => {
    const date = new Date(value ?? 0);
    return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
  });

export const User = z.looseObject({ accountId: z.string().optional(), displayName: z.string().optional() });

/** Authors are missing when the account was deleted. */
export function actorOf(user: z.infer<typeof User> | null | undefined): Actor {
  return { id: user?.accountId ?? "", name: user?.displayName ?? "former user" };
}

export const Myself = z.looseObject({ accountId: z.string().min(1), displayName: z.string().default("") });

export const ServerInfo = z.looseObject({ baseUrl: z.url() });

const Status = z.looseObject({ name: z.string(), statusCategory: z.looseObject({ key: z.string() }).optional() });

export const IssueStatus = z.looseObject({ fields: z.looseObject({ status: Status }) });

export const IssueLabels = z.looseObject({ fields: z.looseObject({ labels: z.array(z.string()).nullish() }) });

export const Issue = z.looseObject({
  id: z.string(),
  key: z.string(),
  fields: z.looseObject({
    summary: z.string().nullish(),
    description: z.unknown(),
    status: Status,
    issuetype: z.looseObject({ name: z.string() }),
    project: z.looseObject({ key: z.string() }),
    labels: z.array(z.string()).nullish(),
    reporter: User.nullish(),
    assignee: User.nullish(),
    updated: time,
  }),
});

export const Comment = z.looseObject({
  id: z.string(),
  author: User.nullish(),
  body: z.unknown(),
  created: time,
  /** There with `expand=properties` only. */
  properties: z.array(z.looseObject({ key: z.string(), value: z.unknown() })).nullish(),
});
export type Comment = z.infer<typeof Comment>;

export const CommentPage = z.looseObject({ comments: z.array(Comment), total: z.number().optional() });

export const Property = z.looseObject({ key: z.string(), value: z.unknown() });

export const Written = z.looseObject({ id: z.union([z.string(), z.number()]).transform(String) });

export const Transitions = z.looseObject({
  transitions: z.array(
    z.looseObject({
      id: z.string(),
      name: z.string().default(""),
      isAvailable: z.boolean().optional(),
      to: z.looseObject({ name: z.string() }),
      fields: z
        .record(
          z.string(),
          z.looseObject({
            name: z.string().optional(),
            required: z.boolean().optional(),
            hasDefaultValue: z.boolean().optional(),
          }),
        )
        .optional(),
    }),
  ),
});
export type Transition = z.infer<typeof Transitions>["transitions"][number];

const RemoteLink = z.looseObject({
  id: z.union([z.string(), z.number()]).transform(String),
  globalId: z.string().nullish(),
  relationship: z.string().nullish(),
  object: z.looseObject({ url: z.string(), title: z.string() }),
});

/** A list, or a single link when it was asked for by its global id. */
export const RemoteLinks = z.union([z.array(RemoteLink), RemoteLink.transform((link) => [link])]);

/** Role name to the address of the role. */
export const RoleAddresses = z.record(z.string(), z.string());

export const Role = z.looseObject({
  actors: z
    .array(
      z.looseObject({
        actorUser: z.looseObject({ accountId: z.string().optional() }).nullish(),
        actorGroup: z.looseObject({ groupId: z.string().nullish(), name: z.string().nullish() }).nullish(),
      }),
    )
    .nullish(),
});

export const Groups = z.array(z.looseObject({ name: z.string().optional(), groupId: z.string().nullish() }));
