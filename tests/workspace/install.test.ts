/** Packages of a repository: installed behind the allow-list, without running anything of theirs, and found by commands. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silentLog } from "../../src/platform/log.ts";
import { findLock } from "../../src/workspace/install/lock-file.ts";
import { openRegistryDoor } from "../../src/workspace/install/registry-door.ts";
import { createSandbox } from "../../src/workspace/sandbox.ts";
import { type Registry, startRegistry } from "./registry.ts";

const never = new AbortController().signal;
const runs = (program: string, ...args: string[]): boolean =>
  spawnSync(program, args, { env: { PATH: "/usr/local/bin:/usr/bin:/bin" } }).status === 0;
const canInstall = runs("bwrap", "--version") && runs("npm", "--version");

let root: string;
let registry: Registry;
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), "ticketsmith-install-"));
  registry = await startRegistry();
});
afterAll(async () => {
  await registry.close();
  rmSync(root, { recursive: true, force: true });
});

function tree(files: Readonly<Record<string, unknown>>): string {
  const directory = mkdtempSync(path.join(root, "tree-"));
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(directory, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  }
  spawnSync("chmod", ["-R", "a+rX", directory]);
  return directory;
}

type Offer = ReturnType<Registry["offer"]>;

/** A repository of npm's with these packages. */
function npmTree(packages: Readonly<Record<string, Offer>>, more: Readonly<Record<string, unknown>> = {}): string {
  const names = Object.keys(packages);
  const dependencies = Object.fromEntries(names.map((name) => [name, "1.0.0"]));
  const places = Object.fromEntries(names.map((name) => [`node_modules/${name}`, packages[name]]));
  return tree({
    "package.json": { name: "shop", version: "1.0.0", dependencies },
    "package-lock.json": {
      name: "shop",
      version: "1.0.0",
      lockfileVersion: 3,
      packages: { "": { name: "shop", version: "1.0.0", dependencies }, ...places },
    },
    ...more,
  });
}

const sandboxFor = (hosts: readonly string[], name = "deps") =>
  createSandbox({
    mode: "auto",
    log: silentLog,
    install: { directory: path.join(root, name), hosts, timeoutMs: 60_000, bytes: 200_000_000 },
  });

describe.skipIf(!canInstall)("npm (skipped without bubblewrap or npm)", () => {
  it("installs once per lock file, runs no script, and commands find the packages", async () => {
    const hook = { scripts: { postinstall: "echo ran > /workspace/node_modules/RAN; echo ran > $INIT_CWD/RAN" } };
    const packages = {
      left: Object.assign(
        registry.offer("left", {
          "package.json": JSON.stringify({ name: "left", version: "1.0.0", main: "i.js", bin: "b.js", ...hook }),
          "i.js": "module.exports = (text) => '<' + text;",
          "b.js": "#!/usr/bin/env node\nconsole.log('bin ran');",
        }),
        { bin: { left: "b.js" } },
      ),
      "@acme/right": registry.offer("@acme/right", { "index.js": "module.exports = require('left')('x') + '>';" }),
    };
    const directory = npmTree(packages, { ".npmrc": "ignore-scripts=false\n" });
    const sandbox = sandboxFor([registry.host]);
    const run = async (place: string, script: string) =>
      sandbox.run({ directory: place, argv: ["sh", "-c", script], timeoutMs: 20_000, signal: never });
    const use = "node -p 'require(\"@acme/right\")' && node_modules/.bin/left";

    expect((await run(directory, use)).exitCode).not.toBe(0);
    expect(await sandbox.install({ directory, signal: never })).toEqual({
      kind: "installed",
      file: "package-lock.json",
    });
    expect(registry.asked).toHaveLength(2);
    expect(await run(directory, use)).toMatchObject({ exitCode: 0, stdout: "<x>\nbin ran\n" });
    expect((await run(directory, "find / -name RAN 2>/dev/null; ls /")).stdout).not.toContain("RAN");
    // Nothing came into the repository, and there is still no network.
    expect(readdirSync(directory).sort()).toEqual([".npmrc", "package-lock.json", "package.json"]);
    expect((await run(directory, `bash -c 'cat < /dev/tcp/${registry.host.replace(":", "/")}'`)).exitCode).not.toBe(0);
    // The packages are for reading, the place beside them is not.
    expect((await run(directory, "mkdir node_modules/.cache && echo x > node_modules/.cache/x")).exitCode).toBe(0);
    expect((await run(directory, "echo x >> node_modules/left/i.js")).exitCode).not.toBe(0);

    // Another tree, another sandbox, and somebody else at the same time: the same lock file.
    const again = npmTree(packages);
    const other = sandboxFor([registry.host]);
    const states = await Promise.all(
      [again, directory].map((place) => other.install({ directory: place, signal: never })),
    );
    expect(states.map(({ kind }) => kind)).toEqual(["installed", "installed"]);
    expect(registry.asked).toHaveLength(2);
    expect(await run(again, use)).toMatchObject({ exitCode: 0 });
    expect(readdirSync(path.join(root, "deps"))).toHaveLength(1);
  }, 60_000);

  it("members of a workspace stay those of the tree", async () => {
    const left = registry.offer("only-left", { "index.js": "module.exports = 1;" });
    const directory = tree({
      "package.json": { name: "shop", version: "1.0.0", workspaces: ["packages/*"] },
      "packages/a/package.json": { name: "a", version: "1.0.0", dependencies: { "only-left": "1.0.0" } },
      "packages/a/index.js": "module.exports = require('only-left') + 1;",
      "package-lock.json": {
        ...{ name: "shop", version: "1.0.0", lockfileVersion: 3 },
        packages: {
          "": { name: "shop", version: "1.0.0", workspaces: ["packages/*"] },
          "node_modules/a": { resolved: "packages/a", link: true },
          "packages/a": { version: "1.0.0", dependencies: { "only-left": "1.0.0" } },
          "node_modules/only-left": left,
        },
      },
    });
    const sandbox = sandboxFor([registry.host], "members");
    expect(await sandbox.install({ directory, signal: never })).toMatchObject({ kind: "installed" });
    const argv = ["node", "-p", "require('a')"];
    expect(await sandbox.run({ directory, argv, timeoutMs: 20_000, signal: never })).toMatchObject({ stdout: "2\n" });
  }, 60_000);

  it("says what a lock file needs that the policy does not allow, once", async () => {
    const offered = registry.offer("elsewhere", {});
    const directory = npmTree({
      elsewhere: { ...offered, resolved: offered.resolved.replace("127.0.0.1", "localhost") },
    });
    const sandbox = sandboxFor([registry.host], "blocked");
    const port = registry.host.split(":")[1];
    const state = {
      kind: "missing",
      file: "package-lock.json",
      reason: `policy.install.hosts does not name localhost:${port}`,
    };
    expect(await sandbox.install({ directory, signal: never })).toEqual(state);
    const start = performance.now();
    expect(await sandbox.install({ directory, signal: never })).toEqual(state);
    expect(performance.now() - start).toBeLessThan(200);
    expect(readdirSync(path.join(root, "blocked"))).toEqual([]);
  }, 60_000);

  it("takes only what has the hash of the lock file", async () => {
    const offered = registry.offer("forged", { "index.js": "1" });
    const directory = npmTree({ forged: { ...offered, integrity: `sha512-${Buffer.alloc(64).toString("base64")}` } });
    const state = await sandboxFor([registry.host], "forged").install({ directory, signal: never });
    expect(state).toMatchObject({ kind: "missing", reason: expect.stringMatching(/integrity|sha512/i) });
  }, 60_000);
});

describe("where nothing is installed", () => {
  it("says so when it is off, and when there is no bubblewrap", async () => {
    const directory = npmTree({
      left: { version: "1.0.0", resolved: "https://registry.example/l.tgz", integrity: "" },
    });
    expect(await sandboxFor([]).install({ directory, signal: never })).toEqual({
      kind: "missing",
      file: "package-lock.json",
      reason: "policy.install.hosts names no registry",
    });
    const none = createSandbox({
      mode: "off",
      log: silentLog,
      install: { directory: root, hosts: ["registry.example"], timeoutMs: 1000, bytes: 1e6 },
    });
    expect(await none.install({ directory, signal: never })).toMatchObject({
      kind: "missing",
      reason: expect.stringContaining("in bubblewrap only"),
    });
    expect(await none.install({ directory: tree({ "a.js": "" }), signal: never })).toEqual({ kind: "none" });
  });
});

describe("lock files", () => {
  const npmLock = (packages: object) => ({ lockfileVersion: 3, packages: { "": {}, ...packages } });

  it.each([
    [
      "a git address",
      {
        "package.json": {},
        "package-lock.json": npmLock({ "node_modules/x": { resolved: "git+ssh://git@h/x.git#1" } }),
      },
      "comes from git+ssh",
    ],
    [
      "code of the repository",
      { "package.json": {}, "package-lock.json": npmLock({ "node_modules/x": { resolved: "file:evil" } }) },
      "comes from file:evil",
    ],
    [
      "a member outside",
      { "package.json": {}, "package-lock.json": npmLock({ "../x": {}, "node_modules/x": {} }) },
      "leads out",
    ],
    ["no JSON", { "package-lock.json": "{" }, "no lock file of npm"],
    ["an old format", { "package-lock.json": { lockfileVersion: 1, dependencies: {} } }, "no lock file of npm"],
    ["no manifest", { "package-lock.json": npmLock({ "node_modules/x": {} }) }, "there is no package.json"],
    ["an option", { "requirements.txt": "requests==2.0\n--index-url https://evil.example\n" }, "not: --index-url"],
    ["an option that builds", { "requirements.txt": "--no-binary :all:" }, "not: --no-binary"],
    ["an address", { "requirements.txt": "x @ https://evil.example/x.tar.gz" }, "not: x @"],
    ["a directory", { "requirements.txt": "./local" }, "not: ./local"],
    ["another file", { "requirements.txt": "-r other.txt" }, "not: -r"],
    ["another tool", { "pnpm-lock.yaml": "lockfileVersion: 9" }, "only package-lock.json and requirements.txt"],
  ])("refuses %s", async (_name, files, reason) => {
    expect(await findLock(tree(files))).toMatchObject({ kind: "refused", reason: expect.stringContaining(reason) });
  });

  it("takes names, versions, markers and hashes", async () => {
    const text = [
      "# tests",
      'requests[socks] >= 2.8.1, == 2.8.* ; python_version < "3.13"  # why',
      `pytest==8.0.0 \\\n  --hash=sha256:${"a".repeat(64)} \\\n  --hash=sha256:${"b".repeat(64)}`,
      "Django~=4.2",
      "attrs",
    ].join("\n");
    expect(await findLock(tree({ "requirements.txt": text }))).toMatchObject({ kind: "lock" });
  });

  it("nothing to install is no lock file; a link is none either", async () => {
    expect(await findLock(tree({ "package.json": {}, "package-lock.json": npmLock({}) }))).toEqual({ kind: "none" });
    expect(await findLock(tree({ "requirements.txt": "# nothing\n" }))).toEqual({ kind: "none" });
    const directory = tree({ "a.txt": "x" });
    spawnSync("ln", ["-s", "/etc/passwd", path.join(directory, "requirements.txt")]);
    expect(await findLock(directory)).toEqual({ kind: "none" });
  });

  it("a key is the lock file's, whatever else changes", async () => {
    const keyOf = async (files: Readonly<Record<string, unknown>>) => {
      const found = await findLock(tree(files));
      return found.kind === "lock" ? found.lock.key : found.kind;
    };
    const lock = npmLock({ "node_modules/x": {} });
    const first = await keyOf({ "package.json": {}, "package-lock.json": lock });
    expect(await keyOf({ "package.json": { scripts: { test: "x" } }, "package-lock.json": lock, "a.js": "" })).toBe(
      first,
    );
    const other = npmLock({ "node_modules/x": { version: "2.0.0" } });
    expect(await keyOf({ "package.json": {}, "package-lock.json": other })).not.toBe(first);
  });
});

describe("the door to the registries", () => {
  /** Asks through the door, as a proxy is asked. */
  const ask = (directory: string, method: string, target: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const asking = request({ socketPath: path.join(directory, "registry"), method, path: target });
      asking.on("response", (answer) => resolve(answer.resume().statusCode ?? 0));
      asking.on("connect", (answer, socket) => {
        socket.destroy();
        resolve(answer.statusCode ?? 0);
      });
      asking.on("error", reject).end();
    });

  it("opens for hosts of the list and for nothing else", async () => {
    const { host } = registry;
    const [, port = ""] = host.split(":");
    registry.offer("through", {});
    const door = await openRegistryDoor([host, "only-https.invalid"]);
    try {
      const status = (method: string, target: string) => ask(door.directory, method, target);
      expect(await status("GET", `http://${host}/through/-/through-1.0.0.tgz`)).toBe(200);
      expect(await status("CONNECT", host)).toBe(200);
      for (const [method, target] of [
        ["POST", `http://${host}/through`],
        ["GET", `http://localhost:${port}/`],
        ["GET", "http://only-https.invalid/"],
        ["GET", "/etc/passwd"],
        ["GET", `https://${host}/`],
        ["CONNECT", `localhost:${port}`],
        ["CONNECT", "127.0.0.1:22"],
        ["CONNECT", "only-https.invalid:80"],
        ["CONNECT", `${host}@evil.example:443`],
        ["CONNECT", `x.${host}`],
        ["CONNECT", "169.254.169.254:80"],
      ] as const) {
        expect([method, target, await status(method, target)]).toEqual([method, target, 403]);
      }
      expect([...door.refused]).toContain("169.254.169.254:80");
      expect(await status("CONNECT", "only-https.invalid:443")).toBe(502);
      expect([...door.unreachable]).toEqual(["only-https.invalid"]);
    } finally {
      await door.close();
    }
    await expect(ask(door.directory, "GET", `http://${host}/`)).rejects.toThrow();
  });

  it("hands bytes on both ways, and ends with either side", async () => {
    const echo = createServer();
    echo.on("connection", (socket) => socket.removeAllListeners("data").on("data", (chunk) => socket.write(chunk)));
    await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
    const host = `127.0.0.1:${(echo.address() as { port: number }).port}`;
    const door = await openRegistryDoor([host]);
    const socket = connect(path.join(door.directory, "registry"));
    let text = "";
    socket.on("data", (chunk) => {
      text += String(chunk);
    });
    socket.write(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\nfirst `);
    await expect.poll(() => text).toContain("first");
    socket.write("second");
    await expect.poll(() => text).toContain("second");
    const ended = new Promise((resolve) => socket.once("close", resolve));
    await door.close();
    await ended;
    echo.closeAllConnections();
    echo.close();
  });
});
