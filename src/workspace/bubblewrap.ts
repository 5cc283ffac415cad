/**
 * The bubblewrap profile. Nothing of the host is visible but programs and libraries, read-only; there is no network, no capability,
 * no way to a new user namespace; everything written goes to memory of a fixed size. Each flag has a probe in probes.ts or a test.
 */
import { existsSync, lstatSync } from "node:fs";
import path from "node:path";
import { door, installed, into } from "./install/mounts.ts";

export interface SandboxLimits {
  /** Size of the working copy in memory, bytes. */
  readonly workspaceBytes: number;
  /** Size of /tmp, bytes. */
  readonly temporaryBytes: number;
  /** Largest single file, bytes. */
  readonly fileBytes: number;
  /** Heap and private memory of one process, bytes. */
  readonly dataBytes: number;
  /** Resident memory of all processes together, bytes; sampled. */
  readonly memoryBytes: number;
  /** Processes and threads; processes are counted by sampling as well. */
  readonly processes: number;
  /** CPU time of one process, seconds. */
  readonly cpuSeconds: number;
  /** Kept of each end of stdout and of stderr, bytes. */
  readonly outputBytes: number;
}

export const defaultLimits: SandboxLimits = {
  workspaceBytes: 512 * 1024 * 1024,
  temporaryBytes: 128 * 1024 * 1024,
  fileBytes: 256 * 1024 * 1024,
  dataBytes: 2 * 1024 * 1024 * 1024,
  memoryBytes: 3 * 1024 * 1024 * 1024,
  processes: 256,
  cpuSeconds: 600,
  // Kept whole while an agent may ask for the rest of it; what a log holds in all is bounded in tools/commands.ts.
  outputBytes: 128 * 1024,
};

/** Where the bot's own Node is put. It comes first in PATH, so projects are tested with a version that we know. */
const ourDirectory = "/opt/ticketsmith";
export const sandboxPath = `${ourDirectory}/bin:/usr/local/bin:/usr/bin:/bin`;

/** Set for commands, in the sandbox and in the demo's plain process alike. */
export const commandEnvironment: Readonly<Record<string, string>> = {
  CI: "1",
  LANG: "C.UTF-8",
  NO_COLOR: "1",
  NO_UPDATE_NOTIFIER: "1",
};

/** On merged-/usr systems /bin and the like are links into /usr; elsewhere (Alpine) they are directories of their own. */
function topDirectories(): string[] {
  return ["bin", "sbin", "lib", "lib32", "lib64", "libx32"].flatMap((name) => {
    const found = lstatSync(`/${name}`, { throwIfNoEntry: false });
    if (found === undefined) return [];
    return found.isSymbolicLink() ? ["--symlink", `usr/${name}`, `/${name}`] : ["--ro-bind", `/${name}`, `/${name}`];
  });
}

/**
 * node alone, not the directory it lies in: that may be a home directory. npm comes with it when it is installed in the usual
 * place beside that node; otherwise the system's npm, if any, is found in /usr and runs on our node.
 */
function ourNode({ node, npm }: HostPaths): string[] {
  return [
    ...["--ro-bind", node, `${ourDirectory}/bin/node`],
    ...(npm === null
      ? []
      : [
          ...["--ro-bind", npm, `${ourDirectory}/lib/node_modules/npm`],
          ...["--symlink", "../lib/node_modules/npm/bin/npm-cli.js", `${ourDirectory}/bin/npm`],
          ...["--symlink", "../lib/node_modules/npm/bin/npx-cli.js", `${ourDirectory}/bin/npx`],
        ]),
  ];
}

/**
 * Kernel settings in /proc are open to root of the host whatever its namespace (`core_pattern` is a way out); bubblewrap covers some
 * of them, not all. A command is never root here, see root.ts: this is the second lock.
 */
function sealed(): string[] {
  const settings = ["sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi", "asound", "mtrr", "pressure"].flatMap(
    (name) => {
      const file = `/proc/${name}`;
      return existsSync(file) ? ["--ro-bind", file, file] : [];
    },
  );
  // The tmpfs under /dev has no size of its own. The devices in it are mounts themselves and stay usable.
  return [...settings, "--remount-ro", "/dev", "--remount-ro", "/"];
}

/** Read as a whole: a shell that reads its script bit by bit would share its stdin with the command. */
const waitForScript = 'eval "$(cat)"';

/** What of the host goes into the sandbox. Absolute paths. */
export interface HostPaths {
  /** The tree: to be copied (`source`), or already a copy in memory that the command may write to. */
  readonly tree: { readonly source: string } | { readonly copy: string };
  /** The `node` program. */
  readonly node: string;
  /** Directory with passwd, group and hosts. */
  readonly etc: string;
  /** Directory of npm, or null when there is none beside node. */
  readonly npm: string | null;
  /** An installation of the tree's packages (install/dependencies.ts), or null. */
  readonly dependencies: string | null;
  /** For an installation: where it may write to, and the directory with the socket to the registries. */
  readonly install: { readonly into: string; readonly door: string } | null;
}

/** The paths of a command on `directory`, with the Node of `nodeDirectory`. */
export function hostPaths(
  directory: string,
  nodeDirectory: string,
  more: Partial<Pick<HostPaths, "dependencies" | "install">> = {},
) {
  const npm = path.join(nodeDirectory, "../lib/node_modules/npm");
  return {
    tree: { source: path.resolve(directory) },
    node: path.join(nodeDirectory, "node"),
    etc: path.join(import.meta.dirname, "sandbox-etc"),
    npm: existsSync(path.join(npm, "bin/npm-cli.js")) ? npm : null,
    dependencies: more.dependencies ?? null,
    install: more.install ?? null,
  } satisfies HostPaths;
}

/** Arguments for `bwrap`: a sandbox that waits for a script on its stdin (script.ts). bwrap reports on file descriptor 3. */
export function bubblewrapArguments(input: { host: HostPaths; limits: SandboxLimits }): string[] {
  const { limits, host } = input;
  const environment = { PATH: sandboxPath, HOME: "/home/sandbox", TMPDIR: "/tmp", ...commandEnvironment };
  return [
    ...["--unshare-user", "--unshare-all", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL", "--disable-userns"],
    ...["--new-session", "--die-with-parent", "--hostname", "sandbox", "--json-status-fd", "3"],
    "--clearenv",
    ...Object.entries(environment).flatMap(([name, value]) => ["--setenv", name, value]),
    ...["--ro-bind", "/usr", "/usr"],
    ...topDirectories(),
    ...["--ro-bind-try", "/etc/alternatives", "/etc/alternatives"],
    ...["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"],
    // Public by nature, and many programs fail without a name for their user. Our own: the host's would name its accounts.
    ...["--ro-bind", path.join(host.etc, "passwd"), "/etc/passwd"],
    ...["--ro-bind", path.join(host.etc, "group"), "/etc/group"],
    ...["--ro-bind", path.join(host.etc, "hosts"), "/etc/hosts"],
    ...ourNode(host),
    ...["--dev", "/dev", "--proc", "/proc"],
    ...["--size", String(limits.temporaryBytes), "--tmpfs", "/tmp"],
    ...["--size", String(64 * 1024 * 1024), "--tmpfs", "/dev/shm"],
    ...["--size", String(16 * 1024 * 1024), "--tmpfs", "/home/sandbox"],
    ...("copy" in host.tree
      ? ["--bind", host.tree.copy, "/workspace"]
      : [
          ...["--size", String(limits.workspaceBytes), "--tmpfs", "/workspace"],
          ...["--ro-bind", host.tree.source, "/src"],
        ]),
    ...(host.dependencies === null ? [] : ["--ro-bind", host.dependencies, installed]),
    ...(host.install === null
      ? []
      : [
          ...["--bind", host.install.into, into, "--ro-bind", host.install.door, door.directory],
          // Whom the machine trusts: public, and what an organisation's own registry or TLS proxy is checked against.
          ...["/etc/ssl/certs", "/etc/pki/tls/certs"].flatMap((place) => ["--ro-bind-try", place, place]),
        ]),
    ...["--chdir", "/workspace"],
    ...sealed(),
    ...["--", "/bin/sh", "-c", waitForScript],
  ];
}
