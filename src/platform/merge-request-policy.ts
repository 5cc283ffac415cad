/** The part of the policy about merge requests: who may ask for what, and what the bot does by itself. */
import { z } from "zod";

/** GitLab's access levels by name (docs.gitlab.com, "Members API"). */
export const accessLevels = { guest: 10, reporter: 20, developer: 30, maintainer: 40, owner: 50 } as const;
export type AccessName = keyof typeof accessLevels;

/** Who may give a command when the policy does not say: the least access level in the project. */
export const usualLevels = {
  help: "guest",
  status: "guest",
  ask: "reporter",
  review: "developer",
  describe: "developer",
  improve: "developer",
  split: "developer",
  fix: "developer",
  test: "developer",
  docs: "developer",
  changelog: "developer",
  conflicts: "developer",
  heal: "developer",
  stop: "developer",
  retry: "developer",
  budget: "maintainer",
  approve: "maintainer",
  reject: "maintainer",
  merge: "maintainer",
} as const satisfies Record<string, AccessName>;

const names = Object.keys(usualLevels) as (keyof typeof usualLevels)[];

const Who = z.strictObject({
  level: z
    .enum(Object.keys(accessLevels) as [AccessName, ...AccessName[]])
    .optional()
    .describe("Least access level in the project; without it only members of the groups"),
  groups: z.array(z.string()).default([]).describe("GitLab groups by path; their members may as well"),
});

export const MergeRequestPolicy = z.strictObject({
  commands: z
    .partialRecord(z.enum(names), Who)
    .default({})
    .describe("Who may give a command, where the usual level is not what is wanted"),
  aliases: z.boolean().default(false).describe("PR-Agent's names (/review, /ask ...) count as commands, too"),
  requesterMayApprove: z
    .boolean()
    .default(false)
    .describe("Whether who asked for a change may approve or merge it through the bot"),
  merge: z.boolean().default(false).describe("Whether people may have the bot merge. It never does so by itself"),
  undraft: z
    .boolean()
    .default(false)
    .describe("Whether a merge request of the bot stops being a draft once all is green"),
  address: z.boolean().default(true).describe("Whether review threads on the bot's own merge requests are worked off"),
  quietSeconds: z
    .number()
    .int()
    .min(0)
    .max(3600)
    .default(60)
    .describe("How long the bot waits for more comments before it works them off together"),
  review: z
    .strictObject({
      on: z
        .enum(["asked", "own", "all"])
        .default("asked")
        .describe("Which merge requests are reviewed on every push. asked: those that somebody had reviewed before"),
      comments: z.number().int().min(1).max(50).default(10).describe("Most threads that one review opens"),
      confidence: z.number().min(0).max(1).default(0.6).describe("Findings below it are not told"),
    })
    .prefault({}),
  heal: z
    .strictObject({
      on: z
        .enum(["asked", "own"])
        .default("own")
        .describe("Whose failed pipelines are looked into without being asked"),
      tries: z.number().int().min(1).max(10).default(3).describe("Repairs in a row, then a person is asked"),
    })
    .prefault({}),
  replies: z
    .strictObject({
      thread: z.number().int().min(1).default(10).describe("Most answers in one thread within a day"),
      hour: z.number().int().min(1).default(30).describe("Most answers on one merge request within an hour"),
    })
    .prefault({})
    .describe("When it is reached the bot says so once and is silent"),
});
export type MergeRequestPolicy = z.infer<typeof MergeRequestPolicy>;
