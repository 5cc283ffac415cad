/**
 * The sandbox's self test: a small program that tries the escapes that matter most from inside. bubblewrap starting is no proof:
 * started as root without a user namespace it runs, and protects nothing.
 */
import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { CommandResult } from "../domain/ports.ts";

/**
 * Runs inside, as CommonJS for any Node from 18. argv: path of a host file, port of a host listener, `container` in one.
 * Prints the names of the escapes that worked, as JSON.
 */
const probe = `
const fs = require("node:fs"), net = require("node:net"), { spawnSync } = require("node:child_process");
const [secret, port, inContainer] = process.argv.slice(2);
const escapes = [];
const attempt = (name, works) => { try { if (works()) escapes.push(name); } catch {} };
const allowed = new Set(["PATH", "HOME", "TMPDIR", "PWD", "OLDPWD", "SHLVL", "_", "CI", "LANG", "NO_COLOR", "NO_UPDATE_NOTIFIER"]);
const foreign = (names) => names.some((name) => !allowed.has(name));
const environOf = (pid) => fs.readFileSync("/proc/" + pid + "/environ", "utf8").split("\\0").filter(Boolean).map((pair) => pair.split("=")[0]);
attempt("environment", () => foreign(Object.keys(process.env)));
attempt("environment of the parent", () => inContainer === undefined && foreign(environOf(1)));
attempt("host file", () => fs.existsSync(secret));
attempt("host file through /proc", () => fs.existsSync("/proc/1/root" + secret) || fs.existsSync("/proc/self/root" + secret));
attempt("password file", () => fs.readFileSync("/etc/shadow").length >= 0);
attempt("host processes", () => fs.readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name)).length > 20);
for (const place of ["/", "/usr", "/usr/bin", "/etc", "/src", "/opt/ticketsmith/bin"]) {
  attempt("write to " + place, () => { fs.writeFileSync(place + "/ticketsmith-probe", "x"); return true; });
}
attempt("remount", () => spawnSync("mount", ["-o", "remount,rw,bind", "/usr"]).status === 0);
attempt("new user namespace", () => spawnSync("unshare", ["--user", "true"]).status === 0);
attempt("capabilities", () => !/^CapEff:\\t0+$/m.test(fs.readFileSync("/proc/self/status", "utf8")));
attempt("new privileges", () => !/^NoNewPrivs:\\t1$/m.test(fs.readFileSync("/proc/self/status", "utf8")));
for (const file of ["/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches", "/proc/sysrq-trigger"]) {
  attempt("kernel settings", () => { fs.accessSync(file, fs.constants.W_OK); return true; });
}
const connect = (host, to) => new Promise((resolve) => {
  const socket = net.connect({ host, port: to, timeout: 300 });
  const done = (open) => () => { if (open) escapes.push("network"); socket.destroy(); resolve(); };
  socket.once("connect", done(true)).once("error", done(false)).once("timeout", done(false));
});
Promise.all([connect("127.0.0.1", Number(port)), connect("169.254.169.254", 80), connect("192.0.2.1", 80)])
  .then(() => { fs.writeFileSync("probe-can-write", "x"); console.log(JSON.stringify(escapes)); });
`;

/**
 * Runs the probe by way of `run` (a command on a copy of a directory, which gets this file mode). Returns what is wrong with the sandbox, or null when it
 * holds. Never throws for a sandbox that does not start: that is one of the answers.
 */
export async function findLeak(
  run: (directory: string, argv: readonly string[]) => Promise<CommandResult>,
  mode = 0o755,
): Promise<string | null> {
  const directory = await mkdtemp(path.join(tmpdir(), "ticketsmith-probe-"));
  const secret = path.join(directory, randomUUID());
  const listener = createServer((socket) => socket.destroy());
  try {
    await writeFile(secret, "a file of the host\n");
    // A subdirectory is offered as the tree, so that the secret lies beside it and not in it.
    const tree = await mkdtemp(path.join(directory, "tree-"));
    await chmod(tree, mode);
    await writeFile(path.join(tree, "probe.cjs"), probe);
    await new Promise<void>((resolve, reject) => {
      listener.once("error", reject).listen(0, "127.0.0.1", resolve);
    });
    const address = listener.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const result = await run(tree, ["node", "probe.cjs", secret, String(port)]);
    if (result.exitCode !== 0) return `the self test failed: ${(result.stderr || result.stdout).trim().slice(-300)}`;
    const escapes: unknown = JSON.parse(result.stdout);
    if (!Array.isArray(escapes)) return "the self test gave no answer";
    return escapes.length === 0 ? null : `the self test got out: ${[...new Set(escapes)].join(", ")}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    listener.close();
    await rm(directory, { recursive: true, force: true });
  }
}
