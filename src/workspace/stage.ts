/**
 * For a bot that was started as root (see root.ts): one mount namespace in which an ordinary user can reach what commands need, made
 * once and kept, since making it costs more than running a short command. A helper process holds it open and ends with the bot.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { stat } from "node:fs/promises";
import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { messageOf } from "../domain/errors.ts";
import type { HostPaths } from "./bubblewrap.ts";
import { identityOf } from "./identity.ts";
import { userId } from "./root.ts";
import { createTurns } from "./turns.ts";

export interface Stage {
  /**
   * Makes a tree reachable. Returns the program and first arguments that start a command as the ordinary user, and the paths that
   * this user sees; null when only root may read the tree: then it has to be copied by root.
   */
  lay(
    host: HostPaths & { tree: { readonly source: string } },
  ): Promise<{ prefix: readonly string[]; host: HostPaths } | null>;
}

const place = "/mnt";
/** Trees that stay laid out. */
const mostTrees = 40;
const answerMs = 10_000;

/** $1-$3 node, etc and npm (may be empty). Then orders from stdin: `+ <number> <path>` lays a tree out, `- <number>` takes it away. */
const script = [
  "set -e",
  `mount -t tmpfs -o size=256k,mode=755 sandbox ${place}`,
  `cd ${place}`,
  "mkdir etc npm trees",
  ": > node",
  'mount --bind "$1" node',
  'mount --bind "$2" etc',
  'if test -n "$3"; then mount --bind "$3" npm; fi',
  "echo ready",
  "while IFS=' ' read -r order number path; do",
  '  case "$order" in',
  '    +) mkdir "trees/$number" && mount --bind "$path" "trees/$number" ;;',
  '    -) umount -l "trees/$number" && rmdir "trees/$number" ;;',
  "  esac && echo done || echo failed",
  "done",
].join("\n");

type Keeper = ChildProcessByStdio<Writable, Readable, Readable>;

interface Tree {
  readonly number: number;
  /** A checkout that was made anew has the same path and is another directory. */
  readonly identity: string;
}

/** Reads the helper's answers line by line; fails when it ends. */
function listenTo(keeper: Keeper): { next(): Promise<string>; readonly ended: boolean } {
  let text = "";
  let errors = "";
  let over = false;
  let wake = (): void => {};
  keeper.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
    wake();
  });
  keeper.stderr.on("data", (chunk: Buffer) => {
    errors = (errors + chunk.toString("utf8")).slice(-2000);
  });
  const end = (error?: unknown): void => {
    over = true;
    if (error !== undefined) errors += messageOf(error);
    wake();
  };
  keeper.once("error", end);
  keeper.once("close", () => end());
  keeper.stdin.on("error", end);
  return {
    get ended() {
      return over;
    },
    async next() {
      let late = false;
      // Keeps this process alive while it waits; the helper itself does not.
      const timer = setTimeout(() => {
        late = true;
        wake();
      }, answerMs);
      try {
        for (;;) {
          const at = text.indexOf("\n");
          if (at >= 0) {
            const line = text.slice(0, at);
            text = text.slice(at + 1);
            return line;
          }
          if (over || late) throw new Error(`the sandbox did not start: ${errors.trim() || "no answer"}`);
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** Starts the helper. Throws when the namespace cannot be made: no `unshare`, or no right to mount. */
async function openStage(host: HostPaths, path: string): Promise<Stage & { readonly ended: boolean }> {
  const argv = [
    "--mount",
    "--propagation",
    "private",
    "--",
    "/bin/sh",
    "-c",
    script,
    "sh",
    host.node,
    host.etc,
    host.npm ?? "",
  ];
  const keeper: Keeper = spawn("unshare", argv, { env: { PATH: path }, cwd: "/", stdio: ["pipe", "pipe", "pipe"] });
  // Its stdin closes when this process ends, however it ends; then the helper ends as well.
  for (const part of [keeper, keeper.stdin, keeper.stdout, keeper.stderr]) (part as unknown as Socket).unref();
  const answers = listenTo(keeper);
  await answers.next();
  const prefix = [
    "nsenter",
    `--mount=/proc/${keeper.pid}/ns/mnt`,
    ...["-S", String(userId), "-G", String(userId), "--wd=/", "--"],
  ];
  const trees = new Map<string, Tree>();
  const inTurn = createTurns();
  let count = 0;

  async function order(text: string): Promise<void> {
    keeper.stdin.write(`${text}\n`);
    const answer = await answers.next();
    if (answer !== "done") throw new Error(`the sandbox's mount namespace refused: ${text}`);
  }

  async function drop(source: string, tree: Tree): Promise<void> {
    trees.delete(source);
    await order(`- ${tree.number}`);
  }

  async function numberOf(source: string): Promise<number> {
    const identity = await identityOf(source);
    const known = trees.get(source);
    if (known?.identity === identity) {
      trees.delete(source);
      trees.set(source, known);
      return known.number;
    }
    if (known !== undefined) await drop(source, known);
    for (const [oldest, tree] of trees) if (trees.size >= mostTrees) await drop(oldest, tree);
    count += 1;
    await order(`+ ${count} ${source}`);
    trees.set(source, { number: count, identity });
    return count;
  }

  return {
    get ended() {
      return answers.ended;
    },
    async lay({ tree, npm, dependencies, install }) {
      const { mode } = await stat(tree.source);
      const sources = [tree.source, dependencies, install?.into, install?.door].filter((source) => source != null);
      if ((mode & 0o005) !== 0o005 || sources.some((source) => /[\n\\]|\s$/.test(source))) return null;
      const reach = async (source: string): Promise<string> =>
        `${place}/trees/${await inTurn("orders", () => numberOf(source))}`;
      return {
        prefix,
        host: {
          tree: { source: await reach(tree.source) },
          node: `${place}/node`,
          etc: `${place}/etc`,
          npm: npm === null ? null : `${place}/npm`,
          dependencies: dependencies === null ? null : await reach(dependencies),
          install: install === null ? null : { into: await reach(install.into), door: await reach(install.door) },
        },
      };
    },
  };
}

/** The stage of a sandbox, made when it is first needed and made again when its helper was killed. `path` as in `CommandSetup`. */
export function createStage(path: string): Stage {
  let current: Promise<Stage & { readonly ended: boolean }> | undefined;
  return {
    async lay(host) {
      if (current !== undefined && (await current.catch(() => ({ ended: true }))).ended) current = undefined;
      current ??= openStage(host, path);
      return (await current).lay(host);
    },
  };
}
