/** The policy file `config/ticketsmith.yaml`: what an operator decides. `config/ticketsmith.schema.json` is made from it. */
import { z } from "zod";
import { ChangeRules } from "./change-rules.ts";
import { InstallPolicy } from "./install-policy.ts";
import { MergeRequestPolicy } from "./merge-request-policy.ts";

const jiraKey = z.string().regex(/^[A-Z][A-Z0-9_]+$/, "must be a Jira project key in capitals, e.g. SHOP");
const label = z.string().regex(/^\S+$/, "Jira labels have no spaces");
/** Stays inside the repository. */
const reportPath = z
  .string()
  .regex(/^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$))[^\\\0]+$/, "must be a path inside the repository");

const Project = z.strictObject({
  repository: z
    .string()
    .regex(/^[\w.-]+(\/[\w.-]+)+$/, "must be the path of a GitLab project, e.g. acme/shop")
    .describe("Path of the GitLab project that tickets of this Jira project are worked off in"),
  targetBranch: z
    .string()
    .optional()
    .describe("Branch that merge requests go to. Default: the project's default branch"),
  space: z.string().optional().describe("Key of the Confluence space. Absent: no pages are written"),
  parentPage: z.string().optional().describe("Title of the page in that space under which pages are placed"),
  test: z.array(z.string()).min(1).optional().describe('The test command as a list, e.g. ["npm", "test"]'),
  reports: z
    .strictObject({
      junit: reportPath.optional().describe("JUnit XML that the test command writes, e.g. junit.xml"),
      coverage: reportPath.optional().describe("Coverage that it writes, lcov or Cobertura, e.g. coverage/lcov.info"),
    })
    .optional()
    .describe("Where the test command leaves its reports, relative to the root of the repository"),
  workflow: z.string().optional().describe("Workflow for this project instead of the trigger's"),
});

const Price = z.strictObject({
  inputPerMillion: z.number().min(0),
  cachedPerMillion: z.number().min(0).optional(),
  outputPerMillion: z.number().min(0),
});

export const Policy = z
  .strictObject({
    $schema: z.string().optional(),
    projects: z.record(jiraKey, Project).describe("Jira project key -> where its work happens"),
    triggers: z
      .strictObject({
        labels: z
          .record(label, z.string())
          .default({ ticketsmith: "deliver" })
          .describe("Label -> workflow that it starts when somebody adds it"),
      })
      .prefault({}),
    people: z
      .strictObject({
        start: z
          .strictObject({
            roles: z.array(z.string()).default([]).describe("Jira project roles, by name"),
            groups: z.array(z.string()).default([]).describe("Jira groups, by name"),
            accounts: z.array(z.string()).default([]).describe("Jira account ids"),
          })
          .describe("Who may start a run. Nobody else can; an empty list means nobody"),
        identities: z
          .record(z.string(), z.string())
          .default({})
          .describe(
            "Jira account id -> GitLab user id of the same person, so that nobody approves what they asked for",
          ),
      })
      .describe("Who may steer the bot"),
    statuses: z
      .strictObject({
        started: z.string().nullable().default("In Progress").describe("Status when work begins; null: leave it"),
        review: z
          .string()
          .nullable()
          .default("In Review")
          .describe("Status when the merge request is up; null: leave it"),
      })
      .prefault({}),
    models: z
      .strictObject({
        roles: z
          .partialRecord(
            z.enum(["analyst", "planner", "developer", "reviewer", "qa", "devops", "writer"]),
            z.strictObject({ model: z.string().optional(), fallbacks: z.array(z.string()).default([]) }),
          )
          .default({})
          .describe("Model per role, where it is not OPENAI_MODEL"),
        prices: z.record(z.string(), Price).default({}).describe("US dollars per million tokens, by model name"),
        timeoutSeconds: z.number().int().min(5).max(3600).default(600).describe("Longest wait for one answer"),
      })
      .prefault({}),
    budgets: z
      .strictObject({
        run: z
          .strictObject({
            usd: z.number().positive().default(5),
            tokens: z.number().int().positive().default(2_000_000),
            minutes: z.number().positive().default(60).describe("Minutes at work; waiting does not count"),
            turns: z.number().int().positive().default(200).describe("Calls of a model"),
          })
          .prefault({})
          .describe("What one run may use"),
        ticket: z
          .strictObject({
            usd: z.number().positive().default(15),
            tokens: z.number().int().positive().default(6_000_000),
          })
          .prefault({})
          .describe("What all runs of a ticket may use together, ever"),
        project: z
          .strictObject({ usdPerDay: z.number().positive().default(50) })
          .prefault({})
          .describe("What all runs of a Jira project may use together on one day (UTC)"),
        total: z
          .strictObject({ usdPerMonth: z.number().positive().default(500) })
          .prefault({})
          .describe("What this Ticketsmith may use in one month (UTC)"),
        raiseUsd: z
          .number()
          .positive()
          .default(20)
          .describe("Most that one comment `@ticketsmith budget +N` may add, in US dollars"),
        patienceDays: z
          .number()
          .positive()
          .max(365)
          .default(7)
          .describe("How long a run waits at a limit for somebody to raise it; then it ends"),
      })
      .prefault({})
      .describe("What may be spent on models. At a limit the run waits and asks; at 80 % the ticket says so"),
    mergeRequests: MergeRequestPolicy.prefault({}).describe("What the bot does on merge requests, and for whom"),
    reconcile: z
      .strictObject({
        minutes: z
          .number()
          .int()
          .min(1)
          .max(60)
          .default(5)
          .describe("How often Jira and GitLab are asked for what no webhook told of"),
      })
      .prefault({}),
    policy: z
      .strictObject({
        allowedHosts: z
          .array(z.string())
          .default([])
          .describe("Hosts, besides Jira, GitLab and Confluence, that bodies may link to"),
        sandbox: z
          .enum(["bubblewrap", "docker", "podman", "none"])
          .default("bubblewrap")
          .describe("Where code of repositories is run. none: nowhere, tests are then reported as not run"),
        image: z
          .string()
          .regex(/^[\w][\w./:@-]*$/, "must be the name of an image, e.g. node:24-bookworm")
          .optional()
          .describe("Image for docker and podman, with node and what the tests need. It is never pulled"),
        install: InstallPolicy.prefault({}).describe(
          "How the packages of a repository's lock file are installed for its tests: without their scripts, in a sandbox that reaches these hosts only",
        ),
        commandSeconds: z
          .number()
          .int()
          .min(1)
          .max(3600)
          .default(300)
          .describe("Longest time that one command may run"),
        maxPatchBytes: z.number().int().positive().default(1_000_000).describe("Largest change that is pushed"),
        rounds: z
          .number()
          .int()
          .min(0)
          .max(5)
          .default(1)
          .describe("How often the developer may mend a change whose tests are red, or that a rule refuses"),
        changes: ChangeRules.prefault({}).describe(
          "What may be in a change: refuse, park (a person must look) or allow",
        ),
      })
      .prefault({}),
    author: z
      .strictObject({
        name: z.string().default("Ticketsmith"),
        email: z.email().default("ticketsmith@localhost.localdomain"),
      })
      .prefault({})
      .describe("Author of commits"),
  })
  .superRefine((policy, context) => {
    const { sandbox, image } = policy.policy;
    if ((sandbox === "docker" || sandbox === "podman") && image === undefined) {
      context.addIssue({ code: "custom", path: ["policy", "image"], message: `is missing: ${sandbox} needs an image` });
    }
    for (const [key, project] of Object.entries(policy.projects)) {
      if (project.parentPage !== undefined && project.space === undefined) {
        context.addIssue({ code: "custom", path: ["projects", key, "parentPage"], message: "needs a space beside it" });
      }
    }
  });
export type Policy = z.infer<typeof Policy>;
export type ProjectPolicy = z.infer<typeof Project>;
