/** Sending webhooks the way GitLab does: one attempt, ten seconds, never repeated by itself, every attempt remembered. */
import { createHmac, randomUUID } from "node:crypto";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { inBackground, isOff } from "./lookups.ts";
import type { Hook, HookDelivery, HookTrigger, Project, World } from "./world.ts";

const TIMEOUT_MS = 10_000;

/** Values of `X-Gitlab-Event`. */
const eventNames: Partial<Record<HookTrigger, string>> = {
  push_events: "Push Hook",
  merge_requests_events: "Merge Request Hook",
  note_events: "Note Hook",
  confidential_note_events: "Confidential Note Hook",
  pipeline_events: "Pipeline Hook",
  emoji_events: "Emoji Hook",
};

/** Hands a body to every hook of the project that listens for the trigger. Deliveries of one hook keep their order. */
export function fire(world: World, project: Project, trigger: HookTrigger, body: unknown): void {
  for (const hook of project.hooks) if (hook.triggers[trigger]) enqueue(world, hook, trigger, body);
}

/** The last delivery of each hook: the next one goes after it. */
const lines = new WeakMap<Hook, Promise<unknown>>();

function enqueue(world: World, hook: Hook, trigger: HookTrigger, body: unknown): void {
  // What is true now is what is told, however late it goes out.
  const text = JSON.stringify(body);
  const before = lines.get(hook) ?? Promise.resolve();
  // A webhook that is switched off sends nothing, and nothing is made up for later.
  const work = before.then(() =>
    world.closing.signal.aborted || isOff(hook) ? undefined : deliver(world, hook, trigger, text),
  );
  lines.set(hook, work);
  inBackground(world, work);
}

/**
 * Sends one body now and remembers what came of it. A resend keeps the first attempt's `idempotencyKey`
 * (GitLab 17.4+, docs "webhooks": stable across retries).
 */
export async function deliver(
  world: World,
  hook: Hook,
  trigger: HookTrigger,
  text: string,
  idempotencyKey: string = randomUUID(),
): Promise<HookDelivery> {
  const event = eventNames[trigger] ?? "System Hook";
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "user-agent": `GitLab/${world.version}`,
    "idempotency-key": idempotencyKey,
    "x-gitlab-event": event,
    "x-gitlab-webhook-uuid": randomUUID(),
    "x-gitlab-instance": world.url,
    "x-gitlab-event-uuid": randomUUID(),
    ...(hook.token === null ? {} : { "x-gitlab-token": hook.token }),
    ...(hook.signingToken === null ? {} : sign(hook.signingToken, idempotencyKey, text)),
  };
  const delivery: HookDelivery = {
    id: world.nextId(),
    trigger,
    event,
    url: hook.url,
    requestHeaders: headers,
    body: JSON.parse(text) as unknown,
    status: "",
    error: null,
    createdAt: new Date(),
  };
  hook.deliveries.push(delivery);
  try {
    delivery.status = String(await post(hook.url, headers, text, world.closing.signal));
  } catch (error) {
    delivery.status = "internal error";
    delivery.error = error instanceof Error ? error.message : String(error);
  }
  if (world.autoDisable) judge(hook, delivery.status);
  return delivery;
}

const minuteMs = 60_000;

/**
 * Four failures in a row switch a webhook off for a minute, each further one for twice as long up to a day, and the 40th for good;
 * redirects are no failures (docs.gitlab.com/user/project/integrations/webhooks, "Auto-disabled webhooks"; app/models/concerns/web_hooks).
 */
function judge(hook: Hook, status: string): void {
  if (/^[23]\d\d$/.test(status)) {
    hook.failures = 0;
    hook.offUntil = null;
    return;
  }
  hook.failures += 1;
  if (hook.failures >= 40) hook.offUntil = "ever";
  else if (hook.failures >= 4) {
    hook.offUntil = new Date(Date.now() + Math.min(minuteMs * 2 ** (hook.failures - 4), 24 * 60 * minuteMs));
  }
}

/** Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, keyed with the decoded part behind `whsec_`. */
function sign(signingToken: string, id: string, text: string): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const key = Buffer.from(signingToken.replace(/^whsec_/, ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${text}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}

function post(address: string, headers: Record<string, string>, text: string, signal: AbortSignal): Promise<number> {
  const url = new URL(address);
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const outgoing = send(
      url,
      {
        method: "POST",
        headers: { ...headers, "content-length": String(Buffer.byteLength(text)) },
        timeout: TIMEOUT_MS,
        signal,
      },
      (answer) => {
        answer.resume();
        answer.once("end", () => resolve(answer.statusCode ?? 0));
        answer.once("error", reject);
      },
    );
    outgoing.once("timeout", () => outgoing.destroy(new Error("Net::ReadTimeout")));
    outgoing.once("error", reject);
    outgoing.end(text);
  });
}
