/**
 * Configuration: policy from `config/ticketsmith.yaml`, connections and secrets from the environment. The only reader of
 * `process.env`. Everything is checked at start; a mistake is reported with its path and how to mend it, all at once.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { loadEnvFile } from "node:process";
import { parse as parseYaml } from "yaml";
import type { z } from "zod";
import { UserError } from "../domain/errors.ts";
import { Environment } from "./environment.ts";
import { Policy } from "./policy.ts";
import { registerSecret } from "./redact.ts";

export interface Config {
  readonly policy: Policy;
  readonly environment: Environment;
  /** What git needs of our own environment: where it is, and how it gets out. Nothing else reaches it. */
  readonly gitEnvironment: Readonly<Record<string, string>>;
  /** What the client of a container engine needs to find its service. No container gets any of it. */
  readonly engineEnvironment: Readonly<Record<string, string>>;
}

const forEngine = ["HOME", "XDG_RUNTIME_DIR", "DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST"];

const forGit = [
  "PATH",
  "HTTPS_PROXY",
  "HTTP_PROXY",
  "NO_PROXY",
  "https_proxy",
  "http_proxy",
  "no_proxy",
  "GIT_SSL_CAINFO",
];

/** Names of the settings whose values must never be shown. */
const secretSettings = [
  "JIRA_API_TOKEN",
  "JIRA_PAT",
  "JIRA_WEBHOOK_SECRET",
  "CONFLUENCE_API_TOKEN",
  "CONFLUENCE_PAT",
  "CONFLUENCE_WEBHOOK_SECRET",
  "GITLAB_TOKEN",
  "GITLAB_WEBHOOK_SECRET",
  "GITLAB_SIGNING_TOKEN",
  "OPENAI_API_KEY",
  "TICKETSMITH_API_KEY",
] as const;

function problems(where: string, error: z.ZodError): string[] {
  return error.issues.map((issue) => `${where}${issue.path.map(String).join(".") || "(top)"}: ${issue.message}`);
}

function readPolicy(file: string): { policy?: Policy; mistakes: string[] } {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return { mistakes: [`${file}: cannot be read. Copy config/ticketsmith.yaml there or set TICKETSMITH_CONFIG.`] };
  }
  let raw: unknown;
  try {
    raw = parseYaml(text);
  } catch (error) {
    return { mistakes: [`${file}: is not YAML: ${error instanceof Error ? error.message : String(error)}`] };
  }
  const parsed = Policy.safeParse(raw ?? {});
  if (!parsed.success) return { mistakes: problems(`${file}: `, parsed.error) };
  return { policy: parsed.data, mistakes: [] };
}

/**
 * Reads and checks the whole configuration.
 * @param variables the environment; default: the process's own, after `.env` of the working folder was read
 * @throws UserError that lists every mistake, each with the setting's name
 */
export function loadConfig(variables?: Readonly<Record<string, string | undefined>>): Config {
  if (variables === undefined && existsSync(".env")) loadEnvFile(".env");
  const source = variables ?? process.env;
  // An empty variable means "not set": compose files and CI systems pass those on.
  const set = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== ""));
  for (const name of secretSettings) {
    for (const value of set[name]?.split(",") ?? []) registerSecret(value.trim());
  }
  const environment = Environment.safeParse(set);
  const file = path.resolve(set.TICKETSMITH_CONFIG ?? "config/ticketsmith.yaml");
  const { policy, mistakes } = readPolicy(file);
  if (!environment.success) mistakes.unshift(...problems("", environment.error));
  if (mistakes.length > 0 || policy === undefined || !environment.success) {
    throw new UserError(
      `The configuration has ${mistakes.length} mistake(s):\n${mistakes.map((m) => `  - ${m}`).join("\n")}`,
    );
  }
  const gitEnvironment = Object.fromEntries(
    forGit.flatMap((name) => {
      // A private CA is set once, for Node and git alike.
      const value =
        set[name] ?? process.env[name] ?? (name === "GIT_SSL_CAINFO" ? process.env.NODE_EXTRA_CA_CERTS : undefined);
      return value === undefined || value === "" ? [] : [[name, value] as const];
    }),
  );
  const engineEnvironment = Object.fromEntries(
    forEngine.flatMap((name) => {
      const value = set[name] ?? process.env[name];
      return value === undefined || value === "" ? [] : [[name, value] as const];
    }),
  );
  return { policy, environment: environment.data, gitEnvironment, engineEnvironment };
}
