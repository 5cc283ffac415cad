/** Git over HTTP ("smart" protocol, git's Documentation/gitprotocol-http.txt): real git serves the real repositories. */
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { Handler, Route, StandInReply, StandInRequest } from "../server.ts";
import { tryGit } from "./git.ts";
import { levelOf } from "./lookups.ts";
import { mayForcePush, mayPush } from "./protection.ts";
import { afterPush } from "./pushes.ts";
import type { Project, User, World } from "./world.ts";

const services = ["git-upload-pack", "git-receive-pack"] as const;
type Service = (typeof services)[number];

const plain = { "content-type": "text/plain; charset=utf-8" };

/** Routes of one repository. */
export function gitRoutes(world: World, project: Project, prefix: string): Route[] {
  const base = `${prefix}/${project.path}.git`;
  const service =
    (name: Service): Handler =>
    (request) =>
      admitted(world, project, request, name, (user) =>
        name === "git-receive-pack" ? push(world, project, user, request) : speak(project, request, name, []),
      );
  return [
    ["GET", `${base}/info/refs`, (request) => advertise(world, project, request)],
    ...services.map((name): Route => ["POST", `${base}/${name}`, service(name)]),
  ];
}

/** Any user name, a token as password. 401 without, 404 without access to the project, 403 for a push below Developer. */
async function admitted(
  world: World,
  project: Project,
  request: StandInRequest,
  service: Service,
  then: (user: User) => Promise<StandInReply>,
): Promise<StandInReply> {
  const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
  const password = Buffer.from(basic, "base64")
    .toString("utf8")
    .replace(/^[^:]*:?/, "");
  const user = world.users.find((candidate) => candidate.token === password && candidate.state === "active");
  if (user === undefined) {
    const headers = { ...plain, "www-authenticate": 'Basic realm="GitLab"' };
    return {
      status: 401,
      headers,
      body: "HTTP Basic: Access denied. If a password was provided for Git authentication, the password was incorrect.\n",
    };
  }
  const level = levelOf(user, project);
  if (level === 0) {
    const body = "The project you were looking for could not be found or you don't have permission to view it.\n";
    return { status: 404, headers: plain, body };
  }
  if (service === "git-receive-pack" && project.settings.archived) {
    return {
      status: 403,
      headers: plain,
      body: "You can't push code to a read-only GitLab instance or an archived project.\n",
    };
  }
  if (service === "git-receive-pack" && level < 30) {
    return { status: 403, headers: plain, body: "You are not allowed to push code to this project.\n" };
  }
  return then(user);
}

async function advertise(world: World, project: Project, request: StandInRequest): Promise<StandInReply> {
  const service = services.find((name) => name === request.query.get("service"));
  if (service === undefined) return { status: 403, headers: plain, body: "Git over dumb HTTP is not supported.\n" };
  return admitted(world, project, request, service, async () => {
    const answer = await speak(project, request, service, ["--advertise-refs"]);
    // Protocol 2 has no service line (gitprotocol-v2); pushes always speak the older one.
    if (service === "git-upload-pack" && protocolOf(request).includes("version=2")) return answer;
    const line = `# service=${service}\n`;
    const head = `${(line.length + 4).toString(16).padStart(4, "0")}${line}0000`;
    return { ...answer, body: Buffer.concat([Buffer.from(head), answer.body as Buffer]) };
  });
}

function protocolOf(request: StandInRequest): string {
  return request.headers["git-protocol"] ?? "";
}

async function speak(
  project: Project,
  request: StandInRequest,
  service: Service,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<StandInReply> {
  const advertisement = args.length > 0;
  const protocol = service === "git-upload-pack" ? protocolOf(request) : "";
  const result = await tryGit(
    [service.slice("git-".length), "--stateless-rpc", ...args, project.repository.directory],
    {
      input: advertisement ? "" : bodyOf(request),
      env: { ...env, ...(protocol === "" ? {} : { GIT_PROTOCOL: protocol }) },
    },
  );
  return {
    status: 200,
    headers: {
      "content-type": `application/x-${service}-${advertisement ? "advertisement" : "result"}`,
      "cache-control": "no-cache, max-age=0, must-revalidate",
    },
    body: result.stdout,
  };
}

function bodyOf(request: StandInRequest): Buffer {
  return /gzip/i.test(request.headers["content-encoding"] ?? "") ? gunzipSync(request.raw) : request.raw;
}

/** Names of the branches that a push is about: lines with their length in front, up to an empty one (gitprotocol-pack). */
function pushedBranches(body: Buffer): string[] {
  const names: string[] = [];
  for (let at = 0; at + 4 <= body.length; ) {
    const length = Number.parseInt(body.toString("latin1", at, at + 4), 16);
    if (!(length > 4)) break;
    const line = body.toString("utf8", at + 4, at + length);
    const ref = /^[0-9a-f]+ [0-9a-f]+ refs\/heads\/([^\0\n]+)/.exec(line)?.[1];
    if (ref !== undefined) names.push(ref);
    at += length;
  }
  return names;
}

/** What the hook needs to know of push rules; nothing when there are none. */
function ruleEnvironment(world: World, project: Project): Record<string, string> {
  const rule = project.settings.pushRule;
  if (world.tier === "free" || rule === null) return {};
  const knownEmails = world.users.map((user) => user.email);
  return {
    PUSH_RULES: JSON.stringify({ rule, defaultBranch: project.defaultBranch, knownEmails }),
    PUSH_NODE: process.execPath,
    PUSH_CHECK: fileURLToPath(new URL("./push-check.ts", import.meta.url)),
  };
}

/** One push at a time per project. What follows from it (merge requests, pipelines) is in place before git hears that it went well. */
function push(world: World, project: Project, user: User, request: StandInRequest): Promise<StandInReply> {
  const work = project.pushes.then(async () => {
    const pushed = pushedBranches(bodyOf(request));
    const refs = (names: readonly string[]): string => names.map((name) => `refs/heads/${name}`).join("\n");
    const env = {
      PUSH_REFUSED: refs(pushed.filter((name) => !mayPush(project, user, name))),
      PUSH_PROTECTED: refs(pushed.filter((name) => !mayForcePush(project, name))),
      ...ruleEnvironment(world, project),
    };
    const before = await project.repository.branches();
    const answer = await speak(project, request, "git-receive-pack", [], env);
    await afterPush(world, project, user, before);
    return answer;
  });
  project.pushes = work.catch(() => undefined);
  return work;
}
