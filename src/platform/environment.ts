/** The environment variables: connections and secrets. README has the same list as a table. */
import { z } from "zod";

const url = z.url({ protocol: /^https?$/, error: "must be an http(s) address, e.g. https://jira.example.com" });

/** Several secrets may be given, comma separated: the old one stays valid while it is being replaced. */
const secrets = z
  .string()
  .transform((text) =>
    text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  )
  .pipe(z.array(z.string().min(8, "must be at least 8 characters long")).min(1));

const port = z.coerce.number().int().min(0).max(65535);

const missing = (what: string) => ({
  error: (issue: { input?: unknown }) => (issue.input === undefined ? what : undefined),
});

export const Environment = z
  .object({
    PORT: port.default(3000),
    HOST: z.string().default("127.0.0.1"),
    PUBLIC_URL: url.optional(),
    DATABASE_URL: z
      .string()
      .regex(/^postgres(ql)?:\/\//, "must be a postgres:// address")
      .optional(),
    REDIS_URL: z
      .string()
      .regex(/^rediss?:\/\//, "must be a redis:// or rediss:// address")
      .optional(),
    TICKETSMITH_DATA_DIR: z.string().default(".ticketsmith"),
    TICKETSMITH_API_KEY: z.string().min(16, "must be at least 16 characters long").optional(),
    LOG_LEVEL: z.enum(["error", "warn", "info", "debug"]).default("info"),
    DRY_RUN: z.enum(["0", "1"]).default("0"),

    JIRA_BASE_URL: z.string(missing("is missing: the address of your Jira, e.g. https://acme.atlassian.net")).pipe(url),
    JIRA_EMAIL: z.email("must be the e-mail address of the bot's Atlassian account").optional(),
    JIRA_API_TOKEN: z.string().optional(),
    JIRA_PAT: z.string().optional(),
    JIRA_WEBHOOK_SECRET: z
      .string(
        missing("is missing: without it anybody could start runs. Set the secret that you gave the webhook in Jira"),
      )
      .pipe(secrets),

    GITLAB_BASE_URL: z
      .string(missing("is missing: the address of your GitLab, e.g. https://gitlab.example.com"))
      .pipe(url),
    GITLAB_TOKEN: z.string(missing("is missing: a project, group or service account token with scope api")),
    GITLAB_WEBHOOK_SECRET: secrets.optional(),
    GITLAB_SIGNING_TOKEN: secrets.optional(),

    CONFLUENCE_BASE_URL: url.optional(),
    CONFLUENCE_EMAIL: z.email().optional(),
    CONFLUENCE_API_TOKEN: z.string().optional(),
    CONFLUENCE_PAT: z.string().optional(),
    CONFLUENCE_WEBHOOK_SECRET: secrets.optional(),

    OPENAI_BASE_URL: url.default("https://api.openai.com/v1"),
    OPENAI_API_KEY: z.string(missing("is missing: the key of your model server (any text for servers that want none)")),
    OPENAI_MODEL: z.string(missing("is missing: the name of the model that agents use, as your server spells it")),
    OPENAI_API: z.enum(["chat", "responses"]).default("chat"),
    MODEL_CASSETTE: z
      .string()
      .regex(/^(record|replay|cache):./, "must be record:FOLDER, replay:FOLDER or cache:FOLDER")
      .transform((text) => {
        const [mode, ...folder] = text.split(":");
        return { mode: mode as "record" | "replay" | "cache", directory: folder.join(":") };
      })
      .optional(),
  })
  .superRefine((env, context) => {
    const complain = (setting: string, message: string): void => {
      context.addIssue({ code: "custom", path: [setting], message });
    };
    if (env.JIRA_PAT !== undefined) {
      complain(
        "JIRA_PAT",
        "Jira Data Center is not supported yet: set JIRA_EMAIL and JIRA_API_TOKEN of a Jira Cloud account",
      );
    } else if (env.JIRA_EMAIL === undefined || env.JIRA_API_TOKEN === undefined) {
      complain(
        env.JIRA_EMAIL === undefined ? "JIRA_EMAIL" : "JIRA_API_TOKEN",
        "is missing: Jira Cloud needs both JIRA_EMAIL and JIRA_API_TOKEN",
      );
    }
    if (env.CONFLUENCE_PAT !== undefined) {
      complain(
        "CONFLUENCE_PAT",
        "Confluence Data Center is not supported yet: set CONFLUENCE_EMAIL and CONFLUENCE_API_TOKEN",
      );
    }
    if (env.GITLAB_WEBHOOK_SECRET === undefined && env.GITLAB_SIGNING_TOKEN === undefined) {
      complain(
        "GITLAB_WEBHOOK_SECRET",
        "is missing: set it (the hook's secret token) or GITLAB_SIGNING_TOKEN, else anybody could steer the bot",
      );
    }
    const loopback = ["127.0.0.1", "::1", "localhost"].includes(env.HOST);
    if (!loopback && env.TICKETSMITH_API_KEY === undefined) {
      complain(
        "TICKETSMITH_API_KEY",
        `is missing: with HOST=${env.HOST} the dashboard and API can be reached by others`,
      );
    }
  });
export type Environment = z.infer<typeof Environment>;
