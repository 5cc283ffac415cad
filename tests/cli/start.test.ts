/** `npm start` with something wrong refuses, and names the setting and the mend. */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Acme, startAcme } from "../../src/stand-ins/acme/acme.ts";

const cli = path.resolve(import.meta.dirname, "../../src/cli/ticketsmith.ts");
const compileCache = path.resolve(import.meta.dirname, "../../src/cli/compile-cache.ts");
let acme: Acme;
let directory: string;
beforeAll(async () => {
  acme = await startAcme();
  directory = await mkdtemp(path.join(os.tmpdir(), "ticketsmith-start-"));
});
afterAll(async () => {
  await acme.close();
  await rm(directory, { recursive: true, force: true });
});

/** Runs the command in an empty folder with nothing in the environment but the given settings. */
function ticketsmith(
  argv: readonly string[],
  settings: Readonly<Record<string, string | undefined>>,
): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--import", compileCache, cli, ...argv], {
      cwd: directory,
      env: {
        PATH: process.env.PATH,
        TICKETSMITH_CONFIG: path.resolve(import.meta.dirname, "../../config/ticketsmith.yaml"),
        PORT: "0",
        ...settings,
      },
    });
    let said = "";
    let ready = false;
    const hear = (chunk: Buffer): void => {
      said += chunk.toString();
      if (ready || !said.includes("is ready")) return;
      ready = true;
      child.kill("SIGTERM");
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("exit", (code) => resolve({ code, said }));
  });
}

describe("start", () => {
  test.each<[name: string, settings: Record<string, string | undefined>, says: RegExp]>([
    ["without a webhook secret", { JIRA_WEBHOOK_SECRET: "" }, /JIRA_WEBHOOK_SECRET: is missing/],
    [
      "with an address where nobody is",
      { GITLAB_BASE_URL: "http://127.0.0.1:9" },
      /GITLAB_BASE_URL, GITLAB_TOKEN: cannot be reached.*Is the address right/s,
    ],
    ["with a wrong token", { GITLAB_TOKEN: "glpat-wrong-wrong-wrong-wrong" }, /GITLAB_BASE_URL, GITLAB_TOKEN: .*401/],
  ])("refuses %s", async (_name, settings, says) => {
    const { code, said } = await ticketsmith(["start"], { ...acme.variables, ...settings });
    expect(said).toMatch(says);
    expect(code).toBe(1);
    expect(said).not.toMatch(/\n\s+at .*\.ts:\d+/);
    expect(said).not.toContain("glpat-wrong");
  });

  test("refuses a workflow that there is none of", async () => {
    const file = path.join(directory, "policy.yaml");
    await writeFile(
      file,
      "projects: {}\ntriggers: { labels: { bot: delver } }\npeople: { start: { roles: [Devs] } }\n",
    );
    const { said } = await ticketsmith(["start"], { ...acme.variables, TICKETSMITH_CONFIG: file });
    expect(said).toMatch(/no workflow "delver" \(there are: .*deliver/);
  });

  test("with everything right is ready, and ends in order on SIGTERM", async () => {
    const { code, said } = await ticketsmith(["start"], acme.variables);
    expect(said).toContain("ticketsmith is ready");
    expect(code).toBe(0);
  });

  test("config check says what was understood", async () => {
    const { code, said } = await ticketsmith(["config", "check"], acme.variables);
    expect(said).toContain("SHOP -> acme/shop, pages in SHOP");
    expect(code).toBe(0);
  });
}, 90_000);
