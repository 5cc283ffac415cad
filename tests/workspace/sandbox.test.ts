import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../src/domain/errors.ts";
import type { Sandbox } from "../../src/domain/ports.ts";
import { silentLog } from "../../src/platform/log.ts";
import { createSandbox } from "../../src/workspace/sandbox.ts";

const MB = 1024 * 1024;
const hasBubblewrap = spawnSync("bwrap", ["--version"]).status === 0;
const limits = {
  workspaceBytes: 32 * MB,
  temporaryBytes: 8 * MB,
  processes: 64,
  memoryBytes: 600 * MB,
  outputBytes: 1000,
};
const never = new AbortController().signal;

let root: string;
let tree: string;
let secret: string;
let listener: Server;
let port: number;

beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), "ticketsmith-sandbox-"));
  tree = path.join(root, "tree");
  secret = path.join(root, ".env");
  mkdirSync(path.join(tree, "src"), { recursive: true });
  writeFileSync(path.join(tree, "src/a.txt"), "hello\n");
  writeFileSync(path.join(tree, "run.sh"), "#!/bin/sh\necho ran\n", { mode: 0o755 });
  symlinkSync(secret, path.join(tree, "link"));
  writeFileSync(secret, "SECRET=canary\n");
  listener = createServer((socket) => socket.end("reached"));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  port = (listener.address() as { port: number }).port;
});

afterAll(() => {
  listener.close();
  rmSync(root, { recursive: true, force: true });
});

const run = (sandbox: Sandbox, argv: readonly string[], options: { timeoutMs?: number; signal?: AbortSignal } = {}) =>
  sandbox.run({ directory: tree, argv, timeoutMs: options.timeoutMs ?? 20_000, signal: options.signal ?? never });

/** What must hold wherever commands run. */
function behavesLikeASandbox(sandbox: () => Sandbox): void {
  it("runs on a copy and throws away what was written", async () => {
    const result = await run(sandbox(), ["sh", "-c", "cat src/a.txt && ./run.sh && echo x >> src/a.txt && rm run.sh"]);
    expect(result).toMatchObject({ exitCode: 0, timedOut: false, stdout: "hello\nran\n" });
    expect((await run(sandbox(), ["cat", "src/a.txt"])).stdout).toBe("hello\n");
    expect(readdirSync(tree).sort()).toEqual(["link", "run.sh", "src"]);
  });

  it("can run several at once in one directory, each on its own copy", async () => {
    const results = await Promise.all(
      [1, 2, 3, 4].map((number) => run(sandbox(), ["sh", "-c", `echo ${number} > n; sleep 0.2; cat n`])),
    );
    expect(results.map(({ stdout }) => stdout)).toEqual(["1\n", "2\n", "3\n", "4\n"]);
  });

  it("sees a tree that was made anew under the same path, and every edit", async () => {
    const directory = mkdtempSync(path.join(root, "anew-"));
    const show = () => sandbox().run({ directory, argv: ["cat", "a"], timeoutMs: 20_000, signal: never });
    for (const text of ["one", "two", "three"]) {
      writeFileSync(path.join(directory, "a"), text);
      expect((await show()).stdout).toBe(text);
    }
    rmSync(directory, { recursive: true });
    mkdirSync(directory, { mode: 0o755 });
    writeFileSync(path.join(directory, "a"), "four");
    expect((await show()).stdout).toBe("four");
    // Files that only the owner may read are of the tree as well.
    writeFileSync(path.join(directory, "b"), "five", { mode: 0o600 });
    expect((await show()).stdout).toBe("four");
  });

  it("tells exit codes, missing programs and stderr", async () => {
    expect(await run(sandbox(), ["sh", "-c", "echo oops >&2; exit 3"])).toMatchObject({
      exitCode: 3,
      stderr: "oops\n",
    });
    const missing = await run(sandbox(), ["no-such-program"]);
    expect(missing.exitCode).toBe(127);
    expect(missing.stderr).toContain("no-such-program");
  });

  it("brings back the files that were asked for, and nothing else", async () => {
    const script = [
      "mkdir -p out && printf 'line\\nß' > out/report.xml && printf x > \"it's\" && printf '\\377' > binary",
      "ln -s /etc/passwd passwd && ln -s out linked && mkfifo pipe && (echo '0 3'; echo abc) >&4",
      "truncate -s 5M large; exit 3",
    ].join("; ");
    const collect = ["out/report.xml", "it's", "binary", "passwd", "pipe", "large", "missing", "out"];
    const argv = ["sh", "-c", script];
    const result = await sandbox().run({ directory: tree, argv, timeoutMs: 20_000, signal: never, collect });
    expect(result.exitCode).toBe(3);
    expect(result.files).toEqual({ "out/report.xml": "line\nß", "it's": "x" });
    await expect(
      sandbox().run({ directory: tree, argv: ["true"], timeoutMs: 20_000, signal: never, collect: ["../secret"] }),
    ).rejects.toThrow("leads out of the repository");
  });

  it("offers the Node that runs us", async () => {
    expect((await run(sandbox(), ["node", "--version"])).stdout.trim()).toBe(process.version);
  });

  it("hands arguments over as they are", async () => {
    const odd = ["$(touch x)", "a b", "", "*", "--", "'\""];
    const result = await run(sandbox(), ["node", "-p", "JSON.stringify(process.argv.slice(1))", "--", ...odd]);
    expect(JSON.parse(result.stdout)).toEqual(odd);
  });

  it("keeps both ends of long output, without colours", async () => {
    const script = "process.stdout.write('\\u001b[31mfirst\\u001b[0m\\n' + 'x'.repeat(50000) + '\\nlast\\n')";
    const { stdout } = await run(sandbox(), ["node", "-e", script]);
    expect(stdout).toMatch(/^first\nx+\n\[… 48021 bytes cut …\]\nx+\nlast\n$/);
  });

  it("stops at the time limit, with everything it started", async () => {
    const result = await run(sandbox(), ["sh", "-c", "trap '' TERM; sleep 30 & sleep 30"], { timeoutMs: 300 });
    expect(result).toMatchObject({ exitCode: null, timedOut: true });
    expect(result.durationMs).toBeLessThan(5_000);
  });

  it("stops when the run is cancelled", async () => {
    const cancel = new AbortController();
    const reason = new Error("cancelled");
    setTimeout(() => cancel.abort(reason), 200);
    await expect(run(sandbox(), ["sleep", "30"], { signal: cancel.signal })).rejects.toBe(reason);
    await expect(run(sandbox(), ["true"], { signal: cancel.signal })).rejects.toBe(reason);
  });
}

describe.skipIf(!hasBubblewrap)("bubblewrap (skipped where bwrap is not installed)", () => {
  const sandbox = createSandbox({ mode: "auto", log: silentLog, limits });

  it("passes its own self test, once", async () => {
    const status = await sandbox.status();
    expect(status.kind).toBe("bubblewrap");
    expect(await sandbox.status()).toBe(status);
  });

  behavesLikeASandbox(() => sandbox);

  it("hands on nothing of an earlier command", async () => {
    await run(sandbox, ["sh", "-c", "echo x > left; echo x > /tmp/left; (sleep 20 &)"]);
    const { stdout } = await run(sandbox, ["sh", "-c", "ls . /tmp; cat /proc/[0-9]*/comm"]);
    expect(stdout).toContain("src");
    expect(stdout).not.toMatch(/left|sleep/);
  });

  it("says what a command used", async () => {
    const busy = "const end = Date.now() + 700; const kept = Buffer.alloc(8e7, 1); while (Date.now() < end);";
    const { usage } = await run(sandbox, ["node", "-e", busy]);
    expect(usage?.cpuMs).toBeGreaterThan(100);
    expect(usage?.peakBytes).toBeGreaterThan(80e6);
  });

  it("has the devices that programs expect", async () => {
    const script =
      "echo x > /dev/null && head -c 8 /dev/urandom | wc -c && python3 -c 'import os; os.openpty()' & wait $!";
    expect(await run(sandbox, ["bash", "-c", script])).toMatchObject({ exitCode: 0, stdout: "8\n", stderr: "" });
  });

  it("never is root of the host", async () => {
    // With root, `nproc` would not hold and files of root would be ours.
    const { stdout } = await run(sandbox, [
      "bash",
      "-c",
      "ulimit -u; stat -c %u:%g /workspace /workspace/run.sh; id -u",
    ]);
    expect(stdout).toBe("64\n65534:65534\n65534:65534\n65534\n");
  });

  /** Each script succeeds, printing ESCAPED, only when the way out is open. */
  const ways: [string, (host: { secret: string; port: number; root: string }) => string][] = [
    [
      "the bot's environment",
      () => "env | grep -Ev '^(PATH|HOME|TMPDIR|CI|LANG|NO_COLOR|NO_UPDATE_NOTIFIER|PWD|OLDPWD|SHLVL|_)='",
    ],
    ["the environment of process 1", () => "tr '\\0' '\\n' < /proc/1/environ | grep -Ev '^(PATH|PWD|OLDPWD)='"],
    ["a file of the host", ({ secret }) => `cat ${secret}`],
    ["a file of the host by a planted symlink", () => "cat link"],
    ["a file of the host through /proc/1/root", ({ secret }) => `cat /proc/1/root${secret}`],
    [
      "a file of the host through a file descriptor",
      ({ secret }) =>
        `for d in /proc/*/fd/* /proc/*/cwd; do cat $d${secret} $d/../.env; done 2>/dev/null | grep canary`,
    ],
    ["the host's accounts", () => "cat /etc/shadow || grep root: /etc/passwd"],
    ["home directories", () => "ls /root || ls /home | grep -v sandbox"],
    ["processes of the host", () => `cat /proc/*/comm | grep -v -x -e bwrap -e sh -e bash -e cat -e grep -e tr`],
    ["a port of the host", ({ port }) => `bash -c 'cat < /dev/tcp/127.0.0.1/${port}'`],
    ["the metadata service", () => "timeout 2 bash -c 'echo > /dev/tcp/169.254.169.254/80'"],
    ["a name server", () => "getent hosts example.com"],
    ["Unix sockets of the host", () => "find / -xdev -type s -path '/run/*' | grep . || ls /var/run/docker.sock"],
    ["abstract sockets of the host", () => "grep -q '@' /proc/net/unix"],
    ["a write to the source tree", () => "touch /src/x"],
    [
      "a write to the system",
      () => "touch /usr/x || touch /etc/x || touch /x || touch /dev/x || touch /opt/ticketsmith/bin/x",
    ],
    ["a remount", () => "mount -o remount,rw,bind /usr || mount -o remount,rw /"],
    ["a nested user namespace", () => "unshare --user true || unshare --user --map-root-user --net true"],
    ["a device node", () => "mknod /tmp/disk b 8 0"],
    ["the permissions of the host's devices", () => "chmod 0666 /dev/null"],
    ["capabilities", () => "grep CapEff /proc/self/status | grep -v 0000000000000000"],
    ["setuid programs", () => "su -c true || sudo -n true || grep 'NoNewPrivs:.*0' /proc/self/status"],
    [
      "kernel settings",
      () =>
        // Only asked, never tried: where it works it would hit the machine that runs the tests.
        "find /proc -path '/proc/[0-9]*' -prune -o -path '/proc/*self*' -prune -o -writable ! -type l -print 2>/dev/null | grep .",
    ],
    ["the terminal of the bot", () => "bash -c 'echo x > /dev/tty'"],
    ["the workspace quota", () => "for i in 1 2 3 4; do head -c 10000000 /dev/zero > f$i || exit 1; done"],
    ["the quota of /tmp", () => "head -c 10000000 /dev/zero > /tmp/big"],
  ];
  it.each(ways)("gives no way to %s", async (_name, script) => {
    const result = await run(sandbox, ["bash", "-c", `( ${script({ secret, port, root })} ) && echo ESCAPED`]);
    expect(result.stdout).not.toContain("ESCAPED");
    expect(result.stdout).not.toContain("canary");
    expect(result.exitCode).not.toBe(0);
  });

  it("survives a fork bomb", async () => {
    const result = await run(sandbox, ["bash", "-c", "f(){ f|f& }; f; sleep 1"], { timeoutMs: 3_000 });
    expect(result.exitCode === null || /fork/.test(result.stderr)).toBe(true);
    expect((await run(sandbox, ["true"])).exitCode).toBe(0);
  });

  it("stops a group of processes that takes too much memory", async () => {
    const eat = "const kept = []; setInterval(() => kept.push(Buffer.alloc(2e7, 1)), 5)";
    const result = await run(sandbox, ["sh", "-c", `node -e '${eat}' & node -e '${eat}' & wait`]);
    expect(result).toMatchObject({ exitCode: null, timedOut: false });
    expect(result.stderr).toContain("more than 600 MB of memory");
  });

  it("says that a tree is too large, instead of a test result", async () => {
    const small = createSandbox({ mode: "auto", log: silentLog, limits: { workspaceBytes: 4096 * 4 } });
    const large = mkdtempSync(path.join(root, "large-"));
    writeFileSync(path.join(large, "big"), "x".repeat(200_000));
    const attempt = small.run({ directory: large, argv: ["true"], timeoutMs: 5_000, signal: never });
    await expect(attempt).rejects.toThrow(UserError);
  });

  it("does not take bubblewrap's own failure for the command's", async () => {
    const broken = createSandbox({ mode: "auto", log: silentLog, nodeDirectory: path.join(root, "none") });
    expect(await broken.status()).toMatchObject({ kind: "none", reason: expect.stringContaining("did not start") });
    await expect(run(broken, ["true"])).rejects.toThrow(UserError);
  });
});

describe("without bubblewrap", () => {
  const gone = { path: "/nonexistent", log: silentLog };

  it("there is no sandbox, and nothing runs", async () => {
    const sandbox = createSandbox({ mode: "auto", ...gone });
    expect(await sandbox.status()).toMatchObject({ kind: "none", reason: expect.stringContaining("not installed") });
    await expect(run(sandbox, ["touch", path.join(root, "marker")])).rejects.toThrow(UserError);
    expect(existsSync(path.join(root, "marker"))).toBe(false);
  });

  it("a bubblewrap that does not protect is not used", async () => {
    const fake = mkdtempSync(path.join(root, "fake-"));
    // Runs its script in the tree and does nothing else.
    const script = [
      "#!/bin/bash",
      'until [ "$3" = /src ] || { [ "$1" = --bind ] && [ "$3" = /workspace ]; }; do shift || exit 1; done',
      'copy=$(mktemp -d) && cp -a "$2/." "$copy" && cd "$copy"',
      `echo '{"exit-code":0}' >&3`,
      `export PATH=${path.dirname(process.execPath)}:/usr/bin:/bin`,
      'exec sh -c "$(grep -v "^cp ")"',
    ];
    writeFileSync(path.join(fake, "bwrap"), script.join("\n"), { mode: 0o755 });
    chmodSync(root, 0o755);
    chmodSync(fake, 0o755);
    const sandbox = createSandbox({ mode: "auto", path: `${fake}:/usr/local/bin:/usr/bin:/bin`, log: silentLog });
    const status = await sandbox.status();
    expect(status.kind).toBe("none");
    expect(status.reason).toContain("the self test got out");
    expect(status.reason).toContain("network");
  });
});

describe("the demo's plain process", () => {
  const sandbox = createSandbox({ mode: "process-for-demo", path: "/nonexistent", log: silentLog, limits });

  it("says what it is", async () => {
    expect(await sandbox.status()).toMatchObject({ kind: "process", reason: expect.stringContaining("not installed") });
  });

  behavesLikeASandbox(() => sandbox);

  it("does not get the bot's environment", async () => {
    process.env.TICKETSMITH_TEST_CANARY = "canary";
    const { stdout } = await run(sandbox, ["env"]);
    delete process.env.TICKETSMITH_TEST_CANARY;
    expect(stdout).not.toContain("canary");
  });
});
