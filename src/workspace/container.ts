/**
 * Docker or Podman instead of bubblewrap, for machines where user namespaces are switched off. The same promises: a copy in memory, no
 * network, no capability, no user of the host; the image is the operator's choice and is never pulled.
 */
import type { SandboxLimits } from "./bubblewrap.ts";
import { commandEnvironment } from "./bubblewrap.ts";
import { quoted } from "./script.ts";

export interface ContainerChoice {
  readonly engine: "docker" | "podman";
  /** Has to be on the machine already, with `sh`, `cp`, `env`, and `node` for the self test. */
  readonly image: string;
  /** What the engine's client needs to find its service, e.g. `DOCKER_HOST`, `XDG_RUNTIME_DIR`. The container gets none of it. */
  readonly env?: Readonly<Record<string, string>>;
}

const user = "65534:65534";

const containerPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The script comes on stdin; what it writes to file descriptor 4 follows its own output on stdout. */
const waitForScript = 'exec 4>&1; eval "$(cat)"';

/**
 * Arguments for the engine: a container named `name` that waits for a script on its stdin, with the tree at `source` to be copied.
 * Sources: docker-run(1), podman-run(1); every option is in both.
 */
export function containerArguments(input: {
  choice: ContainerChoice;
  name: string;
  source: string;
  limits: SandboxLimits;
}): string[] {
  const { choice, limits } = input;
  const inMemory = (path: string, bytes: number, mode: string): string[] => [
    "--tmpfs",
    `${path}:rw,exec,nosuid,nodev,size=${bytes},mode=${mode}`,
  ];
  const perProcess = [
    `fsize=${limits.fileBytes}`,
    `data=${limits.dataBytes}`,
    `cpu=${limits.cpuSeconds}`,
    "nofile=1024",
    "core=0",
  ];
  return [
    ...["run", "--rm", "--interactive", "--init", "--pull", "never", "--name", input.name],
    ...["--network", "none", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
    ...["--user", user, "--hostname", "sandbox", "--pids-limit", String(limits.processes)],
    // The copy and /tmp lie in the container's memory, so they count as well.
    ...["--memory", String(limits.memoryBytes), "--memory-swap", String(limits.memoryBytes)],
    ...perProcess.flatMap((limit) => ["--ulimit", limit]),
    ...inMemory("/workspace", limits.workspaceBytes, "1777"),
    ...inMemory("/tmp", limits.temporaryBytes, "1777"),
    ...inMemory("/home/sandbox", 16 * 1024 * 1024, "1777"),
    // No comma: it would end the path.
    ...["--mount", `type=bind,source=${checkSource(input.source)},target=/src,readonly`],
    ...["--workdir", "/workspace", "--entrypoint", "/bin/sh"],
    ...[choice.image, "-c", waitForScript],
  ];
}

function checkSource(source: string): string {
  if (/[,"\n]/.test(source)) throw new Error(`a container cannot be given this directory: ${JSON.stringify(source)}`);
  return source;
}

/** A command without the image's own environment. */
export function inCleanEnvironment(argv: readonly string[]): string[] {
  const environment = { PATH: containerPath, HOME: "/home/sandbox", TMPDIR: "/tmp", ...commandEnvironment };
  return ["env", "-i", ...Object.entries(environment).map(([name, value]) => `${name}=${value}`), ...argv];
}

/** Arguments for the engine that end a container, whatever it does. */
export function removeArguments(name: string): string[] {
  return ["rm", "--force", name];
}

/** Shell text that says where the command's own output ends. */
export function marker(word: string): string {
  return `printf '\\n%s\\n' ${quoted(word)}`;
}
