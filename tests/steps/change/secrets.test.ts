/** What a change would bring into the repository. Patches are made by git, secrets are invented and put together at run time. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { registerSecret } from "../../../src/platform/redact.ts";
import { secretsInPatch } from "../../../src/steps/change/secrets.ts";

let root: string;
const git = (...argv: string[]): string =>
  execFileSync("git", ["-C", root, "-c", "user.name=a", "-c", "user.email=a@acme.test", ...argv], { encoding: "utf8" });

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), "ticketsmith-patch-"));
  git("init", "--quiet");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** The patch that leads from some files to others. */
function patchOf(before: Record<string, string>, after: Record<string, string>): string {
  const lay = (files: Record<string, string>): void => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      writeFileSync(path.join(root, name), text);
    }
  };
  lay(before);
  git("add", "--all");
  git("commit", "--quiet", "--allow-empty", "-m", "before");
  lay(after);
  git("add", "--all");
  return git("diff", "--cached", "--binary", "--full-index");
}

const token = ["glpat", "Zx9Kq2Wm7Rt4Vb8Nc3Ld"].join("-");
const key = [
  "-----BEGIN ",
  "PRIVATE KEY-----\n",
  "MIIEvQ8aB3dE7gH1jK9mN2pQ5sT8vW4xY6z0aB3dE7gH1jK9\n".repeat(3),
  "-----END PRIVATE KEY-----",
].join("");
const lines = (count: number): string => Array.from({ length: count }, (_, at) => `line ${at + 1}\n`).join("");

test("a token in a changed file is named with file and line, and not shown", () => {
  const before = lines(40);
  const after = before.replace("line 3\n", "line three\n").replace("line 30\n", `line 30\nconst token = ${token};\n`);
  const found = secretsInPatch(patchOf({ "src/a.js": before }, { "src/a.js": after }));
  expect(found).toEqual([{ path: "src/a.js", line: 31, kind: "a GitLab token", certain: true }]);
  expect(JSON.stringify(found)).not.toContain(token);
});

test("a key of many lines is found where it begins, in a new file with an odd name", () => {
  const found = secretsInPatch(patchOf({}, { "keys/mein schlüssel.pem": `# key\n\n${key}\n` }));
  expect(found).toEqual([
    { path: expect.stringContaining("keys/mein schl"), line: 3, kind: "a private key", certain: true },
  ]);
});

test("a file name can be one", () => {
  expect(secretsInPatch(patchOf({}, { [`${token}.txt`]: "x\n" }))).toEqual([
    { path: `${token}.txt`, line: 0, kind: "a GitLab token", certain: true },
  ]);
});

test("what was there before is only moved", () => {
  const found = secretsInPatch(
    patchOf({ "a.js": `f();\nuse("${token}");\n` }, { "a.js": `f();\n\n  use("${token}");\n` }),
  );
  expect(found).toEqual([]);
});

test("what is only removed, or stands beside a change, is no news", () => {
  const before = `a\n${token}\nb\n`;
  expect(secretsInPatch(patchOf({ "a.txt": before }, { "a.txt": "a\nb\n" }))).toEqual([]);
  expect(secretsInPatch(patchOf({ "b.txt": before }, { "b.txt": before.replace("\nb\n", "\nc\n") }))).toEqual([]);
});

test("our own credentials are found in every form, moved or not", () => {
  const own = "a-credential-of-the-bot";
  registerSecret(own);
  const encoded = Buffer.from(`oauth2:${own}`).toString("base64");
  const found = secretsInPatch(patchOf({ "a.txt": `${own}\n` }, { "a.txt": ` ${own}\n`, "b.txt": `x ${encoded}\n` }));
  expect(found.map(({ path: name, kind }) => [name, kind])).toEqual([
    ["a.txt", "a credential of this bot"],
    ["b.txt", "a credential of this bot"],
  ]);
});

test("an assignment that looks like a password is for a person to judge", () => {
  const found = secretsInPatch(patchOf({}, { "config.js": 'export const password = "tr0ub4dor-and-3";\n' }));
  expect(found).toEqual([{ path: "config.js", line: 1, kind: expect.stringContaining("secret"), certain: false }]);
});

test("lines that look like headers are content where content is expected", () => {
  const found = secretsInPatch(patchOf({ "a.sql": "-- old\n" }, { "a.sql": `++ b/fake\n@@ -1 +1 @@\n${token}\n` }));
  expect(found).toEqual([{ path: "a.sql", line: 3, kind: "a GitLab token", certain: true }]);
});

test("binary files, mode changes and empty patches are passed over", () => {
  expect(secretsInPatch(patchOf({}, { "a.bin": `\0${token}\0` }))).toEqual([]);
  expect(secretsInPatch("")).toEqual([]);
});
