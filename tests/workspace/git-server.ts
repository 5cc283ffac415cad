/** A real git server for tests: `git http-backend` behind HTTP Basic, with repositories in a temporary directory. */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { CodeProject } from "../../src/domain/ticket.ts";

const identity = {
  PATH: "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin",
  HOME: "/nonexistent",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "Robin Vale",
  GIT_AUTHOR_EMAIL: "robin@vale.example",
  GIT_COMMITTER_NAME: "Robin Vale",
  GIT_COMMITTER_EMAIL: "robin@vale.example",
};

export const token = "glpat-Tests0nlyTests0nly";

/** Plain git, for arranging and checking; not the hardened one under test. */
export function plainGit(cwd: string, ...argv: string[]): string {
  return execFileSync("git", argv, { cwd, env: identity, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

/** A file's text or bytes, or `{ link }` for a symlink. */
export type Files = Record<string, string | Buffer | { readonly link: string }>;

export interface GitServer {
  readonly url: string;
  /** `METHOD path?query` of all requests that came with good credentials. */
  readonly requests: string[];
  /** Set to answer the next matching request with a status, or to drop its answer after git has done the work. */
  fault: ((line: string) => number | "lose answer" | undefined) | undefined;
  project(name: string, files: Files): CodeProject;
  /** Adds a commit by Robin to a branch (made from the default branch when missing) and returns its id. */
  commit(name: string, branch: string, files: Files, message?: string): string;
  /** Absolute path of the bare repository. */
  path(name: string): string;
  /** git in the bare repository. */
  inside(name: string, ...argv: string[]): string;
  close(): Promise<void>;
}

export async function startGitServer(): Promise<GitServer> {
  const root = mkdtempSync(path.join(tmpdir(), "ticketsmith-git-"));
  const requests: string[] = [];
  const bare = (name: string): string => path.join(root, "repositories", `${name}.git`);
  const copy = (name: string): string => path.join(root, "copies", name);

  function put(directory: string, files: Files): void {
    for (const [name, content] of Object.entries(files)) {
      const file = path.join(directory, name);
      mkdirSync(path.dirname(file), { recursive: true });
      if (typeof content === "string" || Buffer.isBuffer(content)) writeFileSync(file, content);
      else symlinkSync(content.link, file);
    }
  }

  function serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", "http://git");
    const expected = `Basic ${Buffer.from(`oauth2:${token}`).toString("base64")}`;
    if (request.headers.authorization !== expected) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="GitLab"' }).end("HTTP Basic: Access denied");
      return;
    }
    const line = `${request.method} ${url.pathname}${url.search}`;
    requests.push(line);
    const fault = server.fault?.(line);
    if (typeof fault === "number") {
      response.writeHead(fault).end("no");
      return;
    }
    const backend = spawn("git", ["http-backend"], {
      env: {
        ...identity,
        GIT_PROJECT_ROOT: path.join(root, "repositories"),
        GIT_HTTP_EXPORT_ALL: "1",
        REMOTE_USER: "bot",
        REQUEST_METHOD: request.method ?? "GET",
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        CONTENT_TYPE: request.headers["content-type"] ?? "",
        HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
        GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      },
    });
    request.pipe(backend.stdin);
    backend.stdin.on("error", () => {});
    const chunks: Buffer[] = [];
    backend.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    backend.once("close", () => {
      if (fault === "lose answer") {
        request.socket.destroy();
        return;
      }
      const answer = Buffer.concat(chunks);
      const end = answer.indexOf("\r\n\r\n");
      const headers = answer
        .subarray(0, end)
        .toString("utf8")
        .split("\r\n")
        .map((header) => header.split(": ") as [string, string]);
      const status = Number.parseInt(headers.find(([name]) => name === "Status")?.[1] ?? "200", 10);
      response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== "Status")));
      response.end(answer.subarray(end + 4));
    });
  }

  const http = createServer(serve);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;

  const server: GitServer = {
    url,
    requests,
    fault: undefined,
    project(name, files) {
      const directory = bare(name);
      mkdirSync(directory, { recursive: true });
      plainGit(directory, "init", "--bare", "--quiet", "--initial-branch=main");
      plainGit(directory, "config", "http.receivepack", "true");
      mkdirSync(copy(name), { recursive: true });
      plainGit(copy(name), "init", "--quiet", "--initial-branch=main");
      plainGit(copy(name), "remote", "add", "origin", directory);
      this.commit(name, "main", files, "First");
      return { id: 1, path: name, defaultBranch: "main", url: `${url}/${name}`, cloneUrl: `${url}/${name}.git` };
    },
    commit(name, branch, files, message = "A change") {
      const directory = copy(name);
      const exists = plainGit(bare(name), "branch", "--list", branch) !== "";
      if (exists) {
        plainGit(directory, "fetch", "--quiet", "origin", branch);
        plainGit(directory, "checkout", "--quiet", "--detach", "FETCH_HEAD");
      } else if (branch !== "main") {
        plainGit(directory, "fetch", "--quiet", "origin", "main");
        plainGit(directory, "checkout", "--quiet", "--detach", "FETCH_HEAD");
      }
      put(directory, files);
      plainGit(directory, "add", "--all", "--force");
      plainGit(directory, "commit", "--quiet", "--allow-empty", "-m", message);
      plainGit(directory, "push", "--quiet", "origin", `HEAD:refs/heads/${branch}`);
      return plainGit(directory, "rev-parse", "HEAD");
    },
    path: bare,
    inside: (name, ...argv) => plainGit(bare(name), ...argv),
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
      rmSync(root, { recursive: true, force: true });
    },
  };
  return server;
}
