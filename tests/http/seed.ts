/** Runs and deliveries as the flow would have left them, written through the store. `text` goes into every free field. */
import type { EffectDraft } from "../../src/domain/effect.ts";
import type { EndState, Run } from "../../src/domain/run.ts";
import { decideDelivery, insertDeliveries, listDeliveries } from "../../src/store/deliveries.ts";
import { markSent, noteFailure, planEffects, settle } from "../../src/store/ledger.ts";
import type { Database } from "../../src/store/queryable.ts";
import { addCost, claimRun, handOver, insertRun } from "../../src/store/runs.ts";
import { addProgress, finishStep, insertTurn, produceStep, startStep } from "../../src/store/steps.ts";

export const patch = `diff --git a/src/cart.js b/src/cart.js
index 1111111111111111111111111111111111111111..2222222222222222222222222222222222222222 100644
--- a/src/cart.js
+++ b/src/cart.js
@@ -1,7 +1,10 @@ export function total(items) {
 export function total(items) {
   let sum = 0;
   for (const item of items) {
-    sum += item.price;
+    // Quantity defaults to one, as the order form leaves it out.
+    const quantity = item.quantity ?? 1;
+    sum += item.price * quantity;
   }
   return sum;
 }
diff --git a/test/cart.test.js b/test/cart.test.js
new file mode 100644
index 0000000000000000000000000000000000000000..3333333333333333333333333333333333333333
--- /dev/null
+++ b/test/cart.test.js
@@ -0,0 +1,6 @@
+import { test } from "node:test";
+import assert from "node:assert/strict";
+import { total } from "../src/cart.js";
+test("counts quantities", () => {
+  assert.equal(total([{ price: 2, quantity: 3 }]), 6);
+});
`;

export interface Wording {
  readonly summary: string;
  readonly criteria: readonly string[];
  readonly evidence: string;
  readonly page: string;
  readonly url: string;
  readonly patch: string;
}

export const calm: Wording = {
  summary: "The cart ignores quantities when it adds up the total",
  criteria: ["total([{price: 2, quantity: 3}]) is 6", "an item without quantity counts once"],
  evidence: "ok 1 - counts quantities",
  page: "How the cart adds up",
  url: "http://gitlab.localhost/acme/shop/-/merge_requests/7",
  patch,
};

/** The same text everywhere. */
export function hostile(text: string): Wording {
  return {
    summary: text,
    criteria: [text, text],
    evidence: text,
    page: text,
    url: `javascript:alert(1)//${text}`,
    patch: `diff --git a/${text} b/${text}\n--- a/${text}\n+++ b/${text}\n@@ -1 +1 @@ ${text}\n-${text}\n+${text}\n`,
  };
}

export async function seedQueued(database: Database, id: string, ticket: string, by = "712020:ada"): Promise<Run> {
  const run = await insertRun(database, {
    id,
    workflow: "deliver",
    target: { ticket, project: "SHOP", repository: "acme/shop", space: "SHOP" },
    step: "understand",
    requestedBy: by,
  });
  if (run === null) throw new Error(`ticket ${ticket} has an active run already`);
  return run;
}

export async function lease(database: Database, id: string): Promise<Run> {
  const run = await claimRun(database, id, 60_000);
  if (run === null) throw new Error(`run ${id} is not due`);
  return run;
}

async function step(
  database: Database,
  run: Run,
  name: string,
  output: unknown,
  effects: readonly EffectDraft[] = [],
): Promise<void> {
  await startStep(database, run.id, name);
  await addProgress(database, run.id, "step.started", { step: name });
  await produceStep(database, run.id, name, { output, next: { kind: "continue" } });
  await planEffects(database, run, name, effects);
  await finishStep(database, run.id, name);
  await addProgress(database, run.id, "step.done", { step: name });
}

async function talk(database: Database, run: Run, name: string, agent: string, words: Wording): Promise<void> {
  const usage = { model: "forge-1", inputTokens: 8200, cachedTokens: 4000, outputTokens: 900, costUsd: 0.031 };
  const call = {
    id: "call_1",
    name: "read_file",
    arguments: JSON.stringify({ path: "src/cart.js", why: words.summary }),
  };
  await insertTurn(database, run.id, {
    step: name,
    agent,
    turn: 1,
    ...usage,
    record: {
      added: [
        { role: "system", text: `You are the ${agent}. ${words.summary}` },
        { role: "user", text: `Work on SHOP-42: ${words.summary}` },
        { role: "assistant", text: `I read the file first. ${words.evidence}`, toolCalls: [call] },
        { role: "tool", callId: "call_1", text: `1: export function total(items) {\n${words.evidence}` },
      ],
      durationMs: 4200,
      error: null,
      finish: "tool_calls",
    },
  });
  await addProgress(database, run.id, "turn", {
    step: name,
    agent,
    turn: 1,
    said: words.evidence,
    error: null,
    tools: [{ tool: "read_file", arguments: call.arguments, result: words.evidence }],
  });
  await insertTurn(database, run.id, {
    step: name,
    agent,
    turn: 2,
    ...usage,
    record: {
      added: [
        { role: "assistant", text: words.summary, toolCalls: [{ id: "call_2", name: "finish", arguments: "{broken" }] },
      ],
      durationMs: 2100,
      error: words.evidence,
      finish: "stop",
    },
  });
}

function outputs(words: Wording) {
  return {
    understand: {
      understanding: {
        summary: words.summary,
        kind: "bug",
        acceptanceCriteria: words.criteria,
        outOfScope: ["Discounts", words.evidence],
        questions: [words.summary],
      },
      ticket: { key: "SHOP-42", url: words.url, summary: words.summary },
      repository: { id: 1, path: "acme/shop", url: words.url, cloneUrl: words.url, defaultBranch: "main" },
      targetBranch: "main",
      base: "0123456789abcdef0123456789abcdef01234567",
    },
    plan: {
      approach: `Multiply by the quantity, which defaults to one. ${words.evidence}`,
      files: [{ path: "src/cart.js", change: words.summary }],
      tests: ["test/cart.test.js"],
      risks: [words.evidence],
    },
    implement: {
      claim: { title: words.summary, summary: words.evidence, files: ["src/cart.js"], tests: [] },
      patch: words.patch,
      changed: [{ path: "src/cart.js", status: "M" }],
      disagreements: [{ path: words.page, problem: words.evidence }],
      commands: [],
    },
    verify: {
      tests: { status: "passed", command: "node --test", detail: `exit 0 after 0.8 s ${words.page}` },
      proof: words.criteria.map((criterion, index) => ({
        criterion,
        verdict: index === 0 ? "met" : "cannot_tell",
        command: index === 0 ? `node --test ${words.page}` : null,
        exitCode: index === 0 ? 0 : null,
        evidence: words.evidence,
      })),
      commands: [],
      notes: words.evidence,
    },
  };
}

/** A run that went all the way; ends in `state`. */
export async function seedFinished(
  database: Database,
  id: string,
  ticket: string,
  words: Wording,
  state: EndState = "done",
): Promise<Run> {
  await seedQueued(database, id, ticket, words === calm ? "712020:ada" : words.summary);
  const run = await lease(database, id);
  const output = outputs(words);
  await step(database, run, "understand", output.understand, [
    { name: "started", effect: { kind: "jira.transition", ticket, status: words.page } },
    { name: "plan", effect: { kind: "jira.status", ticket, body: words.summary } },
  ]);
  await talk(database, run, "understand", "analyst", words);
  await step(database, run, "plan", output.plan);
  await step(database, run, "implement", output.implement);
  await talk(database, run, "implement", "developer", words);
  await step(database, run, "verify", output.verify);
  const repository = "acme/shop";
  await step(database, run, "publish", { branch: `ticketsmith/${ticket}`, title: words.summary }, [
    {
      name: "mergeRequest",
      effect: {
        kind: "gitlab.mergeRequest",
        repository,
        sourceBranch: `ticketsmith/${ticket}`,
        targetBranch: "main",
        title: words.summary,
        body: words.summary,
        draft: true,
        labels: ["ticketsmith"],
      },
    },
  ]);
  await step(database, run, "document", { title: words.page }, [
    {
      name: "page",
      effect: {
        kind: "confluence.page",
        space: "SHOP",
        parentTitle: null,
        subject: ticket,
        title: words.page,
        body: words.summary,
        labels: [words.page],
        versionMessage: "",
      },
    },
  ]);
  for (const key of ["understand/started", "understand/plan", "publish/mergeRequest"]) {
    await markSent(database, run, `${id}/${key}`);
    await settle(database, `${id}/${key}`, { outcome: "created", ref: { id: "7", url: words.url } });
  }
  await markSent(database, run, `${id}/document/page`);
  await noteFailure(database, run, `${id}/document/page`, `Confluence said: ${words.evidence}`, true);
  await addCost(database, id, 0.4231, 48_211);
  const reason = state === "done" ? null : words.evidence;
  await handOver(database, run, { state, step: "report", reason, progressed: true });
  await addProgress(database, id, "run.ended", { state, reason: words.evidence });
  return run;
}

/** One delivery per verdict. */
export async function seedDeliveries(database: Database, text: string, runId: string): Promise<void> {
  const actor = { id: "712020:ada", name: "Ada" };
  const event = { type: "ticket.labelled" as const, ticket: "SHOP-42", project: "SHOP", actor, added: ["ticketsmith"] };
  const base = { sender: "jira", body: "{}", kind: "jira:issue_updated" } as const;
  await insertDeliveries(database, [
    { ...base, key: `jira:1:${text}`, parsed: { event } },
    { ...base, key: `jira:2:${text}`, parsed: { ignored: `nothing that starts a run ${text}` } },
    { ...base, sender: "gitlab", key: `gitlab:3:${text}`, kind: `Note Hook ${text}`, parsed: { unsupported: text } },
  ]);
  const [row] = (await listDeliveries(database, 50)).filter((each) => each.key === `jira:1:${text}`);
  await decideDelivery(database, row?.id ?? "", { verdict: "handled", reason: `run started ${text}`, runId });
}
