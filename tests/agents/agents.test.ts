/** The agents as they are: what they may do, and how much they say before anybody has asked for anything. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { developer } from "../../src/agents/developer.ts";
import { agents } from "../../src/agents/index.ts";
import { runAgent, toolSpecs } from "../../src/agents/loop.ts";
import { qa } from "../../src/agents/qa.ts";
import type { CommandResult, ModelRequest, Sandbox, Workspace } from "../../src/domain/ports.ts";
import { silentLog } from "../../src/platform/log.ts";
import { render } from "../../src/platform/template.ts";
import { createCommandLog } from "../../src/tools/commands.ts";
import { bareWorkspace } from "../support/bare-workspace.ts";
import { call, scripted } from "./scripted.ts";

const looking = ["list_files", "read_file", "search", "outline"];
const tools = {
  analyst: [...looking, "read_ticket", "read_page"],
  planner: looking,
  developer: [...looking, "run", "read_output", "edit_file", "apply_patch", "write_file", "delete_file"],
  reviewer: [...looking, "read_page"],
  qa: [...looking, "run", "read_output", "write_test"],
  devops: looking,
  writer: [...looking, "read_page"],
};

it("stand in the order of their work", () => {
  expect(agents.map((agent) => agent.name)).toEqual(Object.keys(tools));
});

describe.each(agents.map((agent) => [agent.name, agent] as const))("%s", (name, agent) => {
  it("has the tools of its job and finish", () => {
    expect(toolSpecs(agent).map((tool) => tool.name)).toEqual([...tools[name], "finish"]);
  });

  it("names no tool, limit or schema that a server would refuse", () => {
    for (const spec of toolSpecs(agent)) {
      expect(spec.name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
      expect(spec.parameters.type).toBe("object");
      expect(spec.description.length).toBeLessThan(400);
    }
    expect(agent.limits.formatErrors).toBe(2);
  });

  it("introduces itself", () => {
    expect(render(agent.prompt, {}).startsWith(`You are the ${name} agent of Ticketsmith.`)).toBe(true);
  });

  it("opens with at most 10 kB besides the task", () => {
    const opening = JSON.stringify({ prompt: render(agent.prompt, {}), tools: toolSpecs(agent) });
    expect(Buffer.byteLength(opening)).toBeLessThan(9_000);
  });
});

describe("with the real tools", () => {
  const ran: CommandResult = {
    argv: ["node", "--test"],
    exitCode: 0,
    timedOut: false,
    stdout: "pass 1",
    stderr: "",
    durationMs: 5,
  };
  const sandbox: Sandbox = {
    status: async () => ({ kind: "process", reason: "a test" }),
    run: async () => ran,
  };

  async function inWorkspace<T>(use: (workspace: Workspace) => Promise<T>): Promise<T> {
    const root = await mkdtemp(join(tmpdir(), "ticketsmith-agents-"));
    try {
      await writeFile(join(root, "cart.js"), "export const total = 1;\n");
      return await use(bareWorkspace(root));
    } finally {
      await rm(root, { recursive: true });
    }
  }

  it("the developer's first request stays small, and edits arrive in the workspace", async () => {
    const model = scripted([
      { toolCalls: [call("read_file", { path: "cart.js" })] },
      {
        toolCalls: [
          call("edit_file", { path: "cart.js", old: "= 1", new: "= 2" }),
          call("read_file", { path: "../etc/passwd" }),
        ],
      },
      { toolCalls: [call("read_file", { path: "cart.js", from: 1 })] },
      { toolCalls: [call("finish", { title: "Set the total", summary: "It is 2 now.", files: ["cart.js"] })] },
    ]);
    const signal = new AbortController().signal;
    const result = await inWorkspace((workspace) =>
      runAgent(
        developer,
        { values: {}, task: `Make the change for SHOP-1.\n\n${"x".repeat(1500)}` },
        {
          model,
          signal,
          log: silentLog,
          toolContext: { workspace, sandbox, commands: createCommandLog(), signal, commandTimeoutMs: 1000 },
        },
      ),
    );
    expect(result.output).toMatchObject({ files: ["cart.js"], tests: [] });
    expect(Buffer.byteLength(JSON.stringify(model.requests[0]))).toBeLessThanOrEqual(10_000);
    const last = lastText(model.requests[3]);
    expect(last).toContain("export const total = 2;");
    expect(lastText(model.requests[2])).toMatch(/^refused: /);
  });

  it("QA's commands come back with their numbers", async () => {
    const finding = { criterion: 1, verdict: "met", command: 1, evidence: "pass 1" };
    const model = scripted([
      { toolCalls: [call("run", { argv: ["node", "--test"] })] },
      { toolCalls: [call("finish", { criteria: [finding] })] },
    ]);
    const signal = new AbortController().signal;
    const result = await inWorkspace((workspace) =>
      runAgent(
        qa,
        { values: {}, task: "Check SHOP-1." },
        {
          model,
          signal,
          log: silentLog,
          toolContext: { workspace, sandbox, commands: createCommandLog(), signal, commandTimeoutMs: 1000 },
        },
      ),
    );
    expect(lastText(model.requests[1])).toContain("command #1 exit 0");
    expect(result.commands).toEqual([ran]);
  });

  function lastText(request: ModelRequest | undefined): string {
    return request?.messages.at(-1)?.text ?? "";
  }
});
