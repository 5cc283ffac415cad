/**
 * The only way to git. Whatever lies in a repository, git must not run code from it: no hooks, filters, external diffs, fsmonitor,
 * system or user configuration, and no transport but HTTP. Credentials travel in the environment of one git process only:
 * an argument would show in the process list, a URL in configuration and error texts.
 */
import { Permanent, Retryable, UserError } from "../domain/errors.ts";
import { redact, registerSecret } from "../platform/redact.ts";
import { createEnds, createWhole } from "./output.ts";
import { runProcess } from "./process.ts";

/** Sources: git-config(1), git(1); each of the first four was seen to stop an attack on git 2.39. */
const settings: readonly string[] = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "safe.bareRepository=explicit",
  "protocol.ext.allow=never",
  "core.protectHFS=true",
  "core.protectNTFS=true",
  "core.autocrlf=false",
  "core.quotePath=true",
  "submodule.recurse=false",
  "fetch.recurseSubmodules=false",
  "push.recurseSubmodules=no",
  "push.followTags=false",
  "push.gpgSign=false",
  // Our header must not follow a redirect to some other host.
  "http.followRedirects=false",
  // Malformed objects are refused, save three old blemishes that GitLab itself lets in (Gitaly ignores the same ones).
  "fetch.fsckObjects=true",
  "fetch.fsck.badTimezone=ignore",
  "fetch.fsck.missingSpaceBeforeDate=ignore",
  "fetch.fsck.zeroPaddedFilemode=ignore",
  // Housekeeping in our turn, never as a process in the background.
  "gc.autoDetach=false",
  "maintenance.autoDetach=false",
  "advice.detachedHead=false",
];

const environment: Readonly<Record<string, string>> = {
  PATH: "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin",
  // No ~/.netrc, no ~/.config/git/attributes.
  HOME: "/nonexistent",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_ATTR_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_LFS_SKIP_SMUDGE: "1",
  GIT_ALLOW_PROTOCOL: "http:https",
  GIT_PROTOCOL_FROM_USER: "0",
};

/** The server that a command talks to, and the token for it. */
export interface GitRemote {
  /** http or https, without credentials. */
  readonly url: string;
  readonly token: string;
  /** Longest time without any byte from the server, milliseconds; default 2 min. */
  readonly silenceMs?: number;
}

export interface GitOptions {
  readonly cwd?: string;
  /** Added to the minimal environment, e.g. `GIT_DIR`, `GIT_INDEX_FILE`, or the site's `HTTPS_PROXY`, `GIT_SSL_CAINFO`, `PATH`. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Needed by commands that go over the network: the credentials, and how failures are to be read. */
  readonly remote?: GitRemote;
  readonly signal?: AbortSignal;
  /** Default 120 s; ten minutes where there is a remote. */
  readonly timeoutMs?: number;
  /** Most bytes of stdout, default 64 MiB. */
  readonly maxBytes?: number;
}

/** git said no. Thrown for local commands; what it means is for the caller to say. */
export class GitFailure extends Error {
  override readonly name = "GitFailure";
  readonly exitCode: number | null;
  /** Redacted. */
  readonly stderr: string;
  constructor(message: string, exitCode: number | null, stderr: string) {
    super(message);
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/**
 * GitLab takes a token as the password of any user name, `oauth2` by custom (GitLab docs, "Clone using a token").
 * Bound to the origin, so that git sends it nowhere else.
 */
function credentials(remote: GitRemote): Record<string, string> {
  const basic = Buffer.from(`oauth2:${remote.token}`).toString("base64");
  registerSecret(remote.token);
  registerSecret(basic);
  return {
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: `http.${new URL(remote.url).origin}/.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
  };
}

/** A server that has fallen silent must not hold a worker. GitLab sends keep-alives while it works (Gitaly, `receive.keepAlive`). */
function impatience({ silenceMs = 120_000 }: GitRemote): string[] {
  return ["-c", "http.lowSpeedLimit=1", "-c", `http.lowSpeedTime=${Math.max(1, Math.ceil(silenceMs / 1000))}`];
}

/** What git prints (in the C locale, with curl's words in it) when a server or the way to it fails; first match wins. */
const remoteFailures: readonly (readonly [RegExp, (detail: string) => Error])[] = [
  [
    /SSL certificate problem|server certificate verification failed|certificate verify locations/i,
    (detail) => new UserError(`git does not trust the certificate of the GitLab server: ${detail}`),
  ],
  [/pre-receive hook declined|protected branch|hook declined/i, (detail) => new Permanent(`push refused: ${detail}`)],
  [/stale info|fetch first|non-fast-forward|cannot lock ref|failed to update ref/i, (detail) => new Retryable(detail)],
  [
    /Authentication failed|could not read (?:Username|Password)|HTTP Basic: Access denied|returned error: 401/i,
    (detail) => new Permanent(`GitLab refused the token for git: ${detail}`, { status: 401 }),
  ],
  [/returned error: 403|not allowed to (?:push|upload|download)/i, (detail) => new Permanent(detail, { status: 403 })],
  [
    /returned error: 404|repository '.*' not found|project you were looking for could not be found/i,
    (detail) => new Permanent(`repository not found: ${detail}`, { status: 404 }),
  ],
  [
    /fsck error/i,
    (detail) => new Permanent(`the repository holds something that git refuses as dangerous or malformed: ${detail}`),
  ],
  [
    /couldn't find remote ref|not our ref|unadvertised object/i,
    (detail) => new Permanent(`not found in the repository: ${detail}`, { status: 404 }),
  ],
  [/unable to update url base from redirection|returned error: 3\d\d/i, (detail) => new Permanent(detail)],
  [
    new RegExp(
      [
        "Could not resolve host|Failed to connect|Couldn't connect|Connection (?:refused|reset|timed out)|Operation timed out",
        "returned error: (?:408|429|5\\d\\d)|RPC failed|early EOF|hung up unexpectedly|Empty reply|unexpected disconnect",
        "transfer closed|Recv failure|Send failure|SSL_(?:read|connect|ERROR)|gnutls|TLS connect|bad line length|\\.lock': File exists",
        "expected flush|No space left on device|unable to access",
      ].join("|"),
      "i",
    ),
    (detail) => new Retryable(`git could not reach the repository: ${detail}`),
  ],
];

/** The lines of stderr that say what went wrong, as one line of at most 400 characters. */
function gist(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const telling = lines.filter((line) => /fatal:|error:|remote:|rejected|refused/i.test(line));
  return (telling.length > 0 ? telling : lines)
    .map((line) => line.trim())
    .join("; ")
    .slice(0, 400);
}

/**
 * Runs git and returns its stdout. Put `--end-of-options` before any name that did not come from us.
 * Throws UserError when git is not installed, and on failure: with `remote` Retryable (network, 5xx, a lost race) or
 * Permanent (credentials, missing repository or ref, refused push); without it GitFailure.
 */
export async function git(argv: readonly string[], options: GitOptions = {}): Promise<Buffer> {
  const stdout = createWhole(options.maxBytes ?? 64 * 1024 * 1024);
  const stderr = createEnds(16_384);
  const end = await runProcess({
    file: "git",
    argv: [
      ...settings.flatMap((setting) => ["-c", setting]),
      ...(options.remote ? impatience(options.remote) : []),
      ...argv,
    ],
    env: { ...environment, ...options.env, ...(options.remote ? credentials(options.remote) : {}) },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    stdout,
    stderr,
    timeoutMs: options.timeoutMs ?? (options.remote ? 600_000 : 120_000),
    enough: () => stdout.full,
  }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new UserError("the program `git` is not installed where the bot runs (2.35 or newer is needed)");
  });

  if (stdout.full) throw new UserError(`git ${argv[0]} gave more than ${stdout.size} bytes: too much to handle`);
  if (end.exitCode === 0) return stdout.bytes();
  const said = redact(stderr.text());
  const name = argv.find((part) => /^[a-z][a-z-]+$/.test(part)) ?? "command";
  const detail = end.timedOut ? `git ${name} took longer than ${end.durationMs} ms` : `git ${name}: ${gist(said)}`;
  if (options.remote !== undefined) {
    if (end.timedOut || end.exitCode === null) throw new Retryable(detail);
    const known = remoteFailures.find(([pattern]) => pattern.test(said));
    if (known !== undefined) throw known[1](detail);
  }
  // Another process is at the same mirror just now, or one was killed at it.
  if (/could not lock config file .*File exists/.test(said)) throw new Retryable(detail);
  throw new GitFailure(detail, end.exitCode, said);
}

/** The same, for commands that answer with one line of text. */
export async function gitLine(argv: readonly string[], options: GitOptions = {}): Promise<string> {
  return (await git(argv, options)).toString("utf8").trim();
}
