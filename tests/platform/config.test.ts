/** Every setting that is missing or wrong is named, with the mend. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { UserError } from "../../src/domain/errors.ts";
import { loadConfig } from "../../src/platform/config.ts";

const directory = mkdtempSync(path.join(os.tmpdir(), "ticketsmith-config-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const complete: Readonly<Record<string, string>> = {
  JIRA_BASE_URL: "https://acme.atlassian.test",
  JIRA_EMAIL: "bot@acme.test",
  JIRA_API_TOKEN: "jira-token",
  JIRA_WEBHOOK_SECRET: "jira-secret",
  GITLAB_BASE_URL: "https://gitlab.acme.test/git",
  GITLAB_TOKEN: "gitlab-token",
  GITLAB_WEBHOOK_SECRET: "gitlab-secret",
  OPENAI_API_KEY: "none",
  OPENAI_MODEL: "some-model",
};

function complaint(settings: Readonly<Record<string, string | undefined>>): string {
  try {
    loadConfig({ ...complete, ...settings });
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  }
  return "";
}

function policyFile(text: string): string {
  const file = path.join(directory, "policy.yaml");
  writeFileSync(file, text);
  return file;
}

describe("a setting", () => {
  test.each<[name: string, settings: Record<string, string | undefined>, says: RegExp]>([
    [
      "no webhook secret",
      { JIRA_WEBHOOK_SECRET: "" },
      /JIRA_WEBHOOK_SECRET: is missing: without it anybody could start runs/,
    ],
    ["a short secret", { JIRA_WEBHOOK_SECRET: "abc" }, /JIRA_WEBHOOK_SECRET.*at least 8 characters/],
    [
      "no GitLab secret at all",
      { GITLAB_WEBHOOK_SECRET: undefined },
      /GITLAB_WEBHOOK_SECRET: is missing.*GITLAB_SIGNING_TOKEN/,
    ],
    ["no address", { JIRA_BASE_URL: undefined }, /JIRA_BASE_URL: is missing: the address of your Jira/],
    [
      "an address that is none",
      { GITLAB_BASE_URL: "gitlab.acme.test" },
      /GITLAB_BASE_URL: must be an http\(s\) address/,
    ],
    [
      "another protocol",
      { OPENAI_BASE_URL: "ftp://models.acme.test" },
      /OPENAI_BASE_URL: must be an http\(s\) address/,
    ],
    ["half an account", { JIRA_API_TOKEN: undefined }, /JIRA_API_TOKEN: is missing: Jira Cloud needs both/],
    ["no model", { OPENAI_MODEL: undefined }, /OPENAI_MODEL: is missing: the name of the model/],
    ["a port that is none", { PORT: "eighty" }, /PORT: /],
    ["open to the network without a key", { HOST: "0.0.0.0" }, /TICKETSMITH_API_KEY: is missing: with HOST=0\.0\.0\.0/],
    ["a short key", { TICKETSMITH_API_KEY: "short" }, /TICKETSMITH_API_KEY: must be at least 16 characters/],
    ["Data Center", { JIRA_PAT: "some-personal-token" }, /JIRA_PAT: Jira Data Center is not supported yet/],
    [
      "no policy file",
      { TICKETSMITH_CONFIG: "/nowhere/policy.yaml" },
      /\/nowhere\/policy\.yaml: cannot be read.*TICKETSMITH_CONFIG/,
    ],
  ])("is named: %s", (_name, settings, says) => {
    expect(complaint(settings)).toMatch(says);
  });

  test("all mistakes are told at once, and no secret with them", () => {
    const said = complaint({ JIRA_BASE_URL: "x", GITLAB_TOKEN: undefined, JIRA_WEBHOOK_SECRET: "hush" });
    expect(said).toMatch(/3 mistake\(s\)[\s\S]*JIRA_BASE_URL[\s\S]*JIRA_WEBHOOK_SECRET[\s\S]*GITLAB_TOKEN/);
    expect(said).not.toContain("hush");
  });

  test("several secrets are taken apart", () => {
    const { environment } = loadConfig({ ...complete, JIRA_WEBHOOK_SECRET: "old-secret, new-secret" });
    expect(environment.JIRA_WEBHOOK_SECRET).toEqual(["old-secret", "new-secret"]);
  });
});

describe("the policy", () => {
  test.each<[name: string, text: string, says: RegExp]>([
    [
      "an unknown key",
      "projects: { SHOP: { repository: acme/shop, branche: main } }\npeople: { start: {} }\n",
      /policy\.yaml: projects\.SHOP: .*branche/,
    ],
    [
      "a key in small letters",
      "projects: { shop: { repository: acme/shop } }\npeople: { start: {} }\n",
      /policy\.yaml: projects\.shop: /,
    ],
    [
      "a repository by address",
      "projects: { SHOP: { repository: 'https://gitlab.acme.test/acme/shop' } }\npeople: { start: {} }\n",
      /projects\.SHOP\.repository: must be the path of a GitLab project/,
    ],
    ["nobody who may start", "projects: {}\n", /policy\.yaml: people: /],
    [
      "a label with a blank",
      "projects: {}\npeople: { start: {} }\ntriggers: { labels: { 'do it': deliver } }\n",
      /triggers\.labels\.do it: /,
    ],
    [
      "a parent page without a space",
      "projects: { SHOP: { repository: acme/shop, parentPage: Changes } }\npeople: { start: {} }\n",
      /projects\.SHOP\.parentPage: needs a space/,
    ],
    ["no YAML", "projects: [\n", /policy\.yaml: is not YAML/],
  ])("is checked: %s", (_name, text, says) => {
    expect(complaint({ TICKETSMITH_CONFIG: policyFile(text) })).toMatch(says);
  });
});
