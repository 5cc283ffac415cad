/**
 * A bot that was started as root must not hand root to the sandbox: a user namespace hides that, but for the kernel the process still
 * owns every file of root, kernel settings included, and has no limit on its processes. So root first becomes an ordinary user.
 * What that user could not reach (a checkout below /root, say) is laid out for it in a mount namespace of its own.
 */
import type { HostPaths } from "./bubblewrap.ts";

/** In the range that systemd hands out to services without a user of their own (61184-65519): owner of nothing. */
export const userId = 65_431;

/** Exists on every Linux (Filesystem Hierarchy Standard); in our mount namespace it is covered, outside nothing changes. */
const stage = "/mnt";

/**
 * $1 word for a failed copy, $2 bytes of the workspace, $3-$7 tree, node, etc, npm and dependencies (both may be empty) on the host; the
 * rest is the command for the ordinary user. cp and chown do not follow symlinks here.
 */
const script = [
  "set -e",
  `mount -t tmpfs -o size=64k,mode=755 sandbox ${stage}`,
  `cd ${stage}`,
  "mkdir workspace etc npm dependencies",
  ": > node",
  'mount -t tmpfs -o "size=$2,mode=755,nosuid,nodev" workspace workspace',
  `{ cp -a "$3/." workspace/ && chown -R -h ${userId}:${userId} workspace; } || { echo "$1" >&2; exit 125; }`,
  'mount --bind "$4" node',
  'mount --bind "$5" etc',
  'if test -n "$6"; then mount --bind "$6" npm; fi',
  'if test -n "$7"; then mount --bind "$7" dependencies; fi',
  "shift 7",
  "cd /",
  `exec setpriv --reuid=${userId} --regid=${userId} --clear-groups --inh-caps=-all -- "$@"`,
].join("\n");

/** Where the ordinary user finds what lies at `host`. */
export function stagedPaths(host: HostPaths): HostPaths {
  return {
    tree: { copy: `${stage}/workspace` },
    node: `${stage}/node`,
    etc: `${stage}/etc`,
    npm: host.npm === null ? null : `${stage}/npm`,
    dependencies: host.dependencies === null ? null : `${stage}/dependencies`,
    // What is installed from is laid out by us, and never out of reach.
    install: null,
  };
}

/**
 * The command line that runs `command` as an ordinary user who sees a copy of `host` at `stagedPaths`.
 * Needs unshare, mount and setpriv (util-linux), and the right to mount.
 */
export function withoutRoot(input: {
  host: HostPaths & { tree: { readonly source: string } };
  workspaceBytes: number;
  copyFailed: string;
  command: readonly string[];
}): { file: string; argv: string[] } {
  const { host } = input;
  const paths = [host.tree.source, host.node, host.etc, host.npm ?? "", host.dependencies ?? ""];
  const shell = ["/bin/sh", "-c", script, "sh", input.copyFailed, String(input.workspaceBytes), ...paths];
  return { file: "unshare", argv: ["--mount", "--propagation", "private", "--", ...shell, ...input.command] };
}
