/** Docker and Podman: the command line, and how a container is handled, with a stand-in for the engine. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../src/domain/errors.ts";
import { silentLog } from "../../src/platform/log.ts";
import { defaultLimits } from "../../src/workspace/bubblewrap.ts";
import { type ContainerChoice, containerArguments, removeArguments } from "../../src/workspace/container.ts";
import { createContainers } from "../../src/workspace/in-container.ts";
import { createSandbox } from "../../src/workspace/sandbox.ts";

const docker: ContainerChoice = { engine: "docker", image: "node:24" };
const MB = 1024 * 1024;
const limits = { ...defaultLimits, memoryBytes: 512 * MB, workspaceBytes: 100 * MB, processes: 64 };

describe.each(["docker", "podman"] as const)("the command line for %s", (engine) => {
  const argv = containerArguments({
    choice: { engine, image: "shop/ci:7" },
    name: "t-1",
    source: "/data/tree",
    limits,
  });
  const text = argv.join(" ");

  it.each([
    ["no network", "--network none"],
    ["a root file system that cannot be written", "--read-only"],
    ["no capability", "--cap-drop ALL"],
    ["no new privileges", "--security-opt no-new-privileges"],
    ["an ordinary user", "--user 65534:65534"],
    ["a limit on processes", "--pids-limit 64"],
    ["a limit on memory, swap included", `--memory ${512 * MB} --memory-swap ${512 * MB}`],
    ["a limit on files", `--ulimit fsize=${defaultLimits.fileBytes}`],
    ["no core dumps", "--ulimit core=0"],
    ["a working copy in memory, of a fixed size", `--tmpfs /workspace:rw,exec,nosuid,nodev,size=${100 * MB}`],
    ["the tree for reading only", "--mount type=bind,source=/data/tree,target=/src,readonly"],
    ["an image that is never pulled", "--pull never"],
    ["nothing left afterwards", "--rm"],
    ["a name, so that it can be ended", "--name t-1"],
  ])("asks for %s", (_name, part) => expect(text).toContain(part));

  it("asks for nothing that would open it, and mounts nothing else", () => {
    expect(text).not.toMatch(/--privileged|--cap-add|--device|--volume|docker\.sock|--env|--pid |--ipc |[ =]host\b/);
    expect(argv.filter((word) => word === "--mount")).toHaveLength(1);
    expect(argv.slice(-3)).toEqual(["shop/ci:7", "-c", 'exec 4>&1; eval "$(cat)"']);
  });

  it("refuses a directory that would say something else", () => {
    const odd = "/data/tree,readonly=false";
    expect(() => containerArguments({ choice: docker, name: "t", source: odd, limits })).toThrow("cannot be given");
  });
});

it("ends a container by force", () => expect(removeArguments("t-1")).toEqual(["rm", "--force", "t-1"]));

describe("with a stand-in for the engine", () => {
  let root: string;
  let tree: string;
  let log: string;

  beforeAll(() => {
    root = mkdtempSync(path.join(tmpdir(), "ticketsmith-container-"));
    tree = path.join(root, "tree");
    log = path.join(root, "log");
    mkdirSync(tree);
    writeFileSync(path.join(tree, "a.txt"), "hello\n");
    // Does what the engine would, without a container: a copy, and the shell with the script.
    const script = [
      "#!/bin/bash",
      `echo "$*" >> ${log}`,
      '[ "$1" = run ] || exit 0',
      'case "$*" in *broken*) echo "no such image" >&2; exit 125 ;; esac',
      'while [ "$1" != --mount ]; do shift; done',
      'source=$(echo "$2" | sed "s/.*source=//; s/,target.*//")',
      'copy=$(mktemp -d) && cd "$copy"',
      'while [ "$1" != -c ]; do shift; done',
      "exec 4>&1; script=$(cat)",
      'eval "$(printf %s "$script" | sed "s#cp -a /src/. /workspace/#cp -a $source/. .#")"',
    ];
    writeFileSync(path.join(root, "docker"), script.join("\n"), { mode: 0o755 });
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  const never = new AbortController().signal;
  const run = (argv: readonly string[], more: object = {}, choice = docker) =>
    createContainers(choice, { limits, nodeDirectory: "", path: `${root}:/usr/local/bin:/usr/bin:/bin` })({
      directory: tree,
      argv,
      timeoutMs: 10_000,
      signal: never,
      ...more,
    });

  it("tells output, exit code, files and time, and keeps them apart", async () => {
    const script = "cat a.txt; env | cut -d= -f1 | sort | tr '\\n' ' '; echo err >&2; echo report > out.xml; exit 3";
    const result = await run(["sh", "-c", script], { collect: ["out.xml", "missing"] });
    expect(result).toMatchObject({ exitCode: 3, timedOut: false, stderr: "err\n", files: { "out.xml": "report\n" } });
    expect(result.stdout).toBe("hello\nCI HOME LANG NO_COLOR NO_UPDATE_NOTIFIER PATH PWD TMPDIR ");
    expect(result.usage?.cpuMs).toBeGreaterThanOrEqual(0);
    expect(readFileSync(path.join(tree, "a.txt"), "utf8")).toBe("hello\n");
    expect(existsSync(path.join(tree, "out.xml"))).toBe(false);
  });

  it("long output does not hide where it ends", async () => {
    const result = await run(["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; echo END; echo y > f"], {
      collect: ["f"],
    });
    expect(result.stdout.endsWith("END\n")).toBe(true);
    expect(result.files).toEqual({ f: "y\n" });
  });

  it("ends the container when the time is up, or the run is cancelled", async () => {
    writeFileSync(log, "");
    expect(await run(["sleep", "30"], { timeoutMs: 200 })).toMatchObject({ exitCode: null, timedOut: true });
    const name = /--name (ticketsmith-\S+)/.exec(readFileSync(log, "utf8"))?.[1];
    expect(readFileSync(log, "utf8")).toContain(`rm --force ${name}`);
    writeFileSync(log, "");
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(new Error("cancelled")), 200);
    await expect(run(["sleep", "30"], { signal: cancel.signal })).rejects.toThrow("cancelled");
    expect(readFileSync(log, "utf8")).toContain("rm --force ticketsmith-");
  });

  it("does not take the engine's own failure for the command's", async () => {
    await expect(run(["true"], {}, { engine: "docker", image: "broken" })).rejects.toThrow(
      "docker did not start the command: no such image",
    );
    expect(await run(["sh", "-c", "exit 125"])).toMatchObject({ exitCode: 125 });
    expect(await run(["no-such-program"])).toMatchObject({ exitCode: 127 });
  });

  it("is not used when its containers do not hold, or there is no engine", async () => {
    const where = { path: `${root}:${path.dirname(process.execPath)}:/usr/bin:/bin`, log: silentLog };
    const open = createSandbox({ mode: docker, ...where });
    expect(await open.status()).toMatchObject({
      kind: "none",
      reason: expect.stringMatching(/docker with the image node:24 cannot/),
    });
    await expect(open.run({ directory: tree, argv: ["true"], timeoutMs: 1000, signal: never })).rejects.toThrow(
      UserError,
    );
    const none = createSandbox({ mode: { engine: "podman", image: "x" }, path: root, log: silentLog });
    expect(await none.status()).toEqual({ kind: "none", reason: "podman is not installed" });
  });
});
