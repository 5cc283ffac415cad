/** Project hooks: who is told, what was told, and telling it again. */
import type { Route } from "../server.ts";
import { pipelineBody, pushBody } from "./hook-bodies.ts";
import { deliver } from "./hooks.ts";
import {
  bool,
  inProject,
  notFound,
  type Params,
  type ProjectCall,
  paginate,
  Refusal,
  requireParams,
  text,
} from "./request.ts";
import { hookShape } from "./shapes.ts";
import { type Hook, type HookDelivery, type HookTrigger, hookTriggers, type World } from "./world.ts";

const list = "/api/v4/projects/:id/hooks";
const one = `${list}/:hook`;

/** A hook as GitLab makes it: pushes only, unless told otherwise. */
export function newHook(world: World, url: string, triggers: Partial<Record<HookTrigger, boolean>>): Hook {
  return {
    id: world.nextId(),
    url,
    token: null,
    signingToken: null,
    triggers: Object.fromEntries(
      hookTriggers.map((trigger) => [trigger, triggers[trigger] ?? trigger === "push_events"]),
    ) as Record<HookTrigger, boolean>,
    createdAt: new Date(),
    deliveries: [],
    failures: 0,
    offUntil: null,
  };
}

function readTriggers(params: Params): Partial<Record<HookTrigger, boolean>> {
  const given = hookTriggers.map((trigger) => [trigger, bool(params, trigger)] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

function checkHook(url: string, signingToken: string | null): void {
  if (!/^https?:\/\/[^\s]+$/.test(url))
    throw new Refusal(422, { message: { url: ["is blocked: Only allowed schemes are http, https"] } });
  if (signingToken !== null && Buffer.from(signingToken.replace(/^whsec_/, ""), "base64").length !== 32) {
    throw new Refusal(422, {
      message: { signing_token: ["must be a whsec_ prefix followed by 32 base64 encoded bytes"] },
    });
  }
}

function hookAt(call: ProjectCall): Hook {
  const hook = call.project.hooks.find((candidate) => String(candidate.id) === call.route.hook);
  if (hook === undefined) throw notFound();
  return hook;
}

const shown = ({ project }: ProjectCall, hook: Hook, status = 200) => ({ status, body: hookShape(project, hook) });

/** Routes of hooks; maintainers only. */
export function hookRoutes(world: World): Route[] {
  return [
    [
      "GET",
      list,
      inProject(world, 40, (call) =>
        paginate(
          call,
          call.project.hooks.map((hook) => hookShape(call.project, hook)),
        ),
      ),
    ],
    [
      "POST",
      list,
      inProject(world, 40, (call) => {
        requireParams(call.params, "url");
        const hook = newHook(world, text(call.params, "url") ?? "", readTriggers(call.params));
        hook.token = text(call.params, "token") ?? null;
        hook.signingToken = text(call.params, "signing_token") ?? null;
        checkHook(hook.url, hook.signingToken);
        call.project.hooks.push(hook);
        return shown(call, hook, 201);
      }),
    ],
    ["GET", one, inProject(world, 40, (call) => shown(call, hookAt(call)))],
    [
      "PUT",
      one,
      inProject(world, 40, (call) => {
        const hook = hookAt(call);
        const url = text(call.params, "url") ?? hook.url;
        const signingToken = text(call.params, "signing_token") ?? hook.signingToken;
        checkHook(url, signingToken);
        // Another address resets the secret token (GitLab docs "webhooks").
        if (url !== hook.url) hook.token = null;
        hook.url = url;
        hook.token = text(call.params, "token") ?? hook.token;
        hook.signingToken = signingToken;
        Object.assign(hook.triggers, readTriggers(call.params));
        return shown(call, hook);
      }),
    ],
    [
      "DELETE",
      one,
      inProject(world, 40, (call) => {
        call.project.hooks.splice(call.project.hooks.indexOf(hookAt(call)), 1);
        return { status: 204 };
      }),
    ],
    [
      "GET",
      `${one}/events`,
      inProject(world, 40, (call) => {
        const wanted = text(call.params, "status");
        const deliveries = hookAt(call).deliveries.filter(
          (delivery) => wanted === undefined || delivery.status === wanted,
        );
        return paginate(call, deliveries.map(deliveryShape).reverse());
      }),
    ],
    [
      "POST",
      `${one}/events/:delivery/resend`,
      inProject(world, 40, async (call) => {
        const hook = hookAt(call);
        const delivery = hook.deliveries.find((candidate) => String(candidate.id) === call.route.delivery);
        if (delivery === undefined) throw notFound();
        const key = delivery.requestHeaders["idempotency-key"];
        const again = await deliver(world, hook, delivery.trigger, JSON.stringify(delivery.body), key);
        return { status: 201, body: { response_status: again.status } };
      }),
    ],
    ["POST", `${one}/test/:trigger`, inProject(world, 40, sendTest)],
  ];
}

function deliveryShape(delivery: HookDelivery) {
  return {
    id: delivery.id,
    url: delivery.url,
    trigger: delivery.event
      .toLowerCase()
      .replaceAll(" ", "_")
      .replace(/_hook$/, "_hooks"),
    request_headers: delivery.requestHeaders,
    request_data: delivery.body,
    response_headers: {},
    response_body: "",
    response_status: delivery.status,
    execution_duration: 0.01,
  };
}

/** GitLab sends a sample made of what is really there, and has no sample for the rest. */
async function sendTest(call: ProjectCall) {
  const { world, project, user } = call;
  const hook = hookAt(call);
  const trigger = hookTriggers.find((candidate) => candidate === call.route.trigger);
  if (trigger === undefined) throw new Refusal(400, { error: "trigger does not have a valid value" });
  const commits = await project.repository.log(project.defaultBranch, { limit: 3 });
  const head = commits[0];
  const pipeline = project.pipelines.at(-1);
  let body: unknown;
  if (trigger === "push_events" && head !== undefined) {
    const push = { ref: `refs/heads/${project.defaultBranch}`, before: commits.at(-1)?.id ?? head.id, after: head.id };
    body = pushBody(world, project, user, { ...push, commits: [...commits].reverse(), files: {} });
  } else if (trigger === "pipeline_events" && pipeline !== undefined) {
    body = pipelineBody(world, project, pipeline, undefined, head);
  } else {
    const what = trigger.replace(/_events$/, "").replaceAll("_", " ");
    throw new Refusal(422, { message: `Ensure the project has ${what}.` });
  }
  const delivery = await deliver(world, hook, trigger, JSON.stringify(body));
  if (!/^2/.test(delivery.status))
    throw new Refusal(422, { message: delivery.error ?? `Hook executed with status ${delivery.status}` });
  return { status: 201, body: { message: "201 Created" } };
}
