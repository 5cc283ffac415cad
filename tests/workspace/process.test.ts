/** Starting processes, from here and by way of the spawner: nobody shall notice which it was. */
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createEnds, createWhole } from "../../src/workspace/output.ts";
import { type ProcessInput, runProcess, startElsewhere, startProcess } from "../../src/workspace/process.ts";
import { openSpawner, type Spawner } from "../../src/workspace/started-elsewhere.ts";

const env = { PATH: "/usr/local/bin:/usr/bin:/bin" };

async function run(script: string, more: Partial<ProcessInput> = {}) {
  const [stdout, stderr, status, files] = [createWhole(1e8), createEnds(1000), createWhole(1000), createWhole(1e7)];
  const argv = ["-c", script];
  const end = await runProcess({ file: "sh", argv, env, stdout, stderr, status, files, timeoutMs: 20_000, ...more });
  const text = (sink: ReturnType<typeof createWhole>): string => sink.bytes().toString("utf8");
  return { ...end, stdout: text(stdout), stderr: stderr.text(), status: text(status), files: text(files) };
}

describe.each(["from here", "by the spawner"])("%s", (how) => {
  beforeAll(async () => {
    if (how === "from here") return;
    startElsewhere();
    // It is used as soon as it is up: then the parent of a new process is another.
    const parentOf = async (): Promise<string> => (await run("echo $PPID")).stdout.trim();
    await vi.waitFor(async () => expect(await parentOf()).not.toBe(String(process.pid)), { timeout: 20_000 });
  });

  it("tells exit codes, and keeps the streams apart", async () => {
    const result = await run("cat; echo err >&2; echo three >&3; echo four >&4; exit 5", { input: "hello\n" });
    expect(result).toMatchObject({ exitCode: 5, timedOut: false, stopped: null });
    expect(result).toMatchObject({ stdout: "hello\n", stderr: "err\n", status: "three\n", files: "four\n" });
  });

  it("gives exactly the environment and directory that were asked for", async () => {
    const { stdout } = await run("env; pwd", { env: { ...env, ONE: "1" }, cwd: tmpdir() });
    expect(stdout.split("\n").filter((line) => !/^(PWD|OLDPWD|SHLVL|_)=/.test(line))).toEqual(
      expect.arrayContaining(["ONE=1", tmpdir()]),
    );
    expect(stdout).not.toMatch(/NODE_|VITEST|HOME=/);
  });

  it("without input stdin is empty, and input that nobody reads is no failure", async () => {
    expect(await run("cat; echo done")).toMatchObject({ stdout: "done\n" });
    expect(await run("exec 0<&-; sleep 0.1", { input: "x".repeat(1e6) })).toMatchObject({ exitCode: 0 });
  });

  it("loses nothing of long output", async () => {
    const { stdout, files } = await run("head -c 30000000 /dev/zero | tr '\\0' x; head -c 4000000 /dev/zero >&4");
    expect([stdout.length, files.length]).toEqual([30_000_000, 4_000_000]);
  });

  it("fails when there is no such program or directory", async () => {
    const missing = {
      file: "no-such-program",
      argv: [],
      env,
      stdout: createEnds(1),
      stderr: createEnds(1),
      timeoutMs: 5000,
    };
    await expect(runProcess(missing)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(run("true", { cwd: "/no/such/place" })).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("ends the whole group at the time limit, when it is enough, when watched, and when aborted", async () => {
    const forever = "trap '' TERM; sleep 30 & sleep 30";
    expect(await run(forever, { timeoutMs: 200 })).toMatchObject({ exitCode: null, timedOut: true });
    const stdout = createWhole(10);
    expect(await run("yes", { stdout, enough: () => stdout.full })).toMatchObject({ exitCode: null, timedOut: false });
    const seen: number[] = [];
    const watch = (pid: number): string => `saw ${seen.push(pid)}`;
    expect(await run("sleep 30", { watch })).toMatchObject({ exitCode: null, stopped: "saw 1" });
    expect(seen[0]).toBeGreaterThan(1);
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error("cancelled")), 100);
    await expect(run(forever, { signal: abort.signal })).rejects.toThrow("cancelled");
  });

  it("keeps what comes before anybody listens", async () => {
    const started = startProcess(
      { file: "sh", argv: ["-c", "echo early; echo status >&3; cat"], env },
      { input: true, status: true, files: false },
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    const [stdout, status] = [createWhole(100), createWhole(100)];
    const end = started.finish({ stdout, stderr: createEnds(10), status, input: "late", timeoutMs: 5000 });
    expect(await end).toMatchObject({ exitCode: 0 });
    expect([stdout.bytes().toString(), status.bytes().toString()]).toEqual(["early\nlate", "status\n"]);
  });
});

describe("when the spawner goes", () => {
  let spawner: Spawner;
  beforeAll(async () => {
    spawner = openSpawner();
    await vi.waitFor(() => expect(spawner.ready).toBe(true), { timeout: 20_000 });
  });
  afterAll(() => spawner.stop());

  it("its children are lost, and it says that it is not there", async () => {
    const spec = { file: "sleep", argv: ["30"], env };
    const raw = spawner.start(spec, { input: false, status: false, files: false });
    await expect.poll(() => raw.pid).toBeGreaterThan(1);
    const { pid = 0 } = raw;
    const lost = expect(raw.closed).rejects.toThrow("was lost");
    spawner.stop();
    await lost;
    expect(spawner.ready).toBe(false);
    expect(raw.ended).toBe(true);
    const isThere = (): boolean => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    await expect.poll(isThere, { timeout: 5000 }).toBe(false);
  });
});
