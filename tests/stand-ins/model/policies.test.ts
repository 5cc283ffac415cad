/** Models that are programs: over both wire formats, and what the scripted ones of the evaluation do. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sabotaged } from "../../../src/stand-ins/model/policies/sabotage.ts";
import { scriptedModels, scriptedPolicy } from "../../../src/stand-ins/model/policies/scripted.ts";
import { change, isTest, type Work } from "../../../src/stand-ins/model/policies/work.ts";
import type { Asked } from "../../../src/stand-ins/model/policy.ts";
import { type ModelStandIn, startModel } from "../../../src/stand-ins/model/server.ts";

const work: Work = {
  title: "Count from one",
  criteria: ["The first number is 1"],
  test: ["node", "--test"],
  start: { "src/count.js": "a\nb\nc\nb\nd\n", "test/count.test.js": 'test("x", () => {\n  assert.equal(1, 1);\n});\n' },
  solution: { "src/count.js": "a\nb\nc\nB\nd\n", "test/count.test.js": "more\n", "src/new.js": "new\n" },
  check: { files: { "test/hidden.test.js": "hidden" }, command: ["node", "--test", "test/hidden.test.js"] },
  wrong: null,
  sabotage: null,
};

/** Applies a call as the tools would. */
function applied(before: string, made: { arguments?: unknown }): string {
  const args = made.arguments as { old?: string; new?: string; content?: string };
  if (args.content !== undefined) return args.content;
  expect(before.split(args.old ?? "").length).toBe(2);
  return before.replace(args.old ?? "", () => args.new ?? "");
}

test("an edit names a piece that is in the file once", () => {
  const cases = [
    ["a\nb\nc\nb\nd\n", "a\nb\nc\nB\nd\n"],
    ["x\nx\nx\n", "x\nx\ny\nx\n"],
    ["x\nx\n", "x\nx\nx\n"],
    ["one", "one\ntwo"],
    ["a\nb\n", ""],
    ["$& a\n", "$& b $1\n"],
  ] as const;
  for (const [before, after] of cases) expect(applied(before, change("f", before, after))).toBe(after);
  expect(change("f", undefined, "new").tool).toBe("write_file");
});

function asked(agent: string, turn: number, messages: Asked["messages"] = []): Asked {
  return { agent, ticket: "TOY-1", turn, messages, tools: [] };
}

test("every scripted model can be every agent, and says the same when asked the same", () => {
  for (const name of scriptedModels) {
    const policy = scriptedPolicy(name, work);
    for (const agent of ["analyst", "planner", "developer", "qa", "writer"]) {
      for (const turn of [0, 1, 2, 3, 30]) {
        expect(policy?.(asked(agent, turn))).toEqual(policy?.(asked(agent, turn)));
      }
    }
  }
  expect(scriptedPolicy("genius", work)).toBeUndefined();
});

test("an honest developer does not say that red tests pass", () => {
  const ran = { role: "assistant" as const, text: "run", calls: [{ name: "run", arguments: "{}" }] };
  const finishing = (result: string) =>
    JSON.stringify(scriptedPolicy("gold", work)?.(asked("developer", 3, [ran, { role: "tool", text: result }])));
  expect(finishing("command #1 exit 0 (5 ms)")).toContain("All tests pass");
  expect(finishing("command #1 exit 1 (5 ms)")).toContain("do not pass");
});

test("a saboteur spoils the tests in every language", () => {
  const texts = {
    "test/a.test.js": 'test("x", () => {\n  assert.equal(1, 2);\n});\n',
    "test_a.py": "class A(unittest.TestCase):\n    def test_x(self):\n        self.assertEqual(1, 2)\n",
    "tests/a.rs": "#[test]\nfn x() {\n    assert_eq!(1, 2);\n}\n",
    "test/a.sh": "#!/bin/sh\n[ 1 = 2 ] || exit 1\n",
    "test/a.c": "int main(void) {\n  if (1 != 2) return 1;\n  return 0;\n}\n",
  };
  // The trick depends on the title; a few of them meet all.
  for (const title of ["a", "b", "c", "d", "e", "f"]) {
    const spoiled = sabotaged({ ...work, title, start: { ...texts, "src/x.js": "x" } });
    expect(Object.keys(spoiled).sort()).toEqual(Object.keys(texts).sort());
    for (const [name, text] of Object.entries(texts)) expect(spoiled[name], `${title} ${name}`).not.toBe(text);
  }
});

test("knows tests by their paths", () => {
  expect(
    ["test/a.js", "src/a.test.ts", "tests/a.py", "test_a.py", "pkg/a_test.go", "spec/a.rb"].filter(isTest),
  ).toHaveLength(6);
  expect(["src/latest.js", "contest.py", "src/attest/a.js"].filter(isTest)).toEqual([]);
});

describe("over HTTP", () => {
  let model: ModelStandIn;
  const seen: Asked[] = [];
  beforeAll(async () => {
    model = await startModel({
      apiKey: "sk-test",
      scenarios: [{ ticket: "TOY-2", agents: { developer: [{ say: "from the scenario" }] } }],
      policies: {
        "TOY-1": (request) => {
          seen.push(request);
          return request.turn === 0
            ? { calls: [{ tool: "run", arguments: { argv: ["a"] } }] }
            : { say: `turn ${request.turn}` };
        },
        "TOY-3": () => ({ calls: [{ tool: "", arguments: {} }] }),
      },
    });
  });
  afterAll(() => model.close());

  const post = async (place: string, body: object): Promise<Record<string, unknown>> => {
    const headers = { authorization: "Bearer sk-test", "content-type": "application/json" };
    const response = await fetch(`${model.baseUrl}/${place}`, { method: "POST", headers, body: JSON.stringify(body) });
    return (await response.json()) as Record<string, unknown>;
  };
  const system = { role: "system", content: "You are the developer agent." };
  const parameters = { type: "object", properties: {} };

  test("Chat Completions: sees calls, results and tools", async () => {
    const call = { id: "c1", type: "function", function: { name: "run", arguments: '{"argv":["a"]}' } };
    const answer = await post("chat/completions", {
      model: "m",
      messages: [
        system,
        { role: "user", content: "TOY-1" },
        { role: "assistant", content: null, tool_calls: [call] },
        { role: "tool", tool_call_id: "c1", content: "exit 0" },
      ],
      tools: [{ type: "function", function: { name: "run", parameters } }],
    });
    expect(JSON.stringify(answer)).toContain("turn 1");
    expect(seen.at(-1)).toMatchObject({ agent: "developer", ticket: "TOY-1", turn: 1, tools: ["run"] });
    expect(seen.at(-1)?.messages[2]?.calls).toEqual([{ name: "run", arguments: '{"argv":["a"]}' }]);
  });

  test("Responses: the same", async () => {
    const answer = await post("responses", {
      model: "m",
      instructions: "You are the developer agent.",
      input: [
        { role: "user", content: "TOY-1" },
        { type: "function_call", call_id: "c1", name: "run", arguments: "{}" },
        { type: "function_call", call_id: "c2", name: "run", arguments: "[]" },
        { type: "function_call_output", call_id: "c1", output: "one" },
        { type: "function_call_output", call_id: "c2", output: "two" },
      ],
      tools: [{ type: "function", name: "run", parameters }],
    });
    expect(JSON.stringify(answer)).toContain("turn 1");
    expect(seen.at(-1)?.messages[2]?.calls).toHaveLength(2);
    expect(seen.at(-1)?.tools).toEqual(["run"]);
  });

  test("other tickets follow their scenario; a policy that says nonsense fails the request", async () => {
    const ask = (ticket: string) =>
      post("chat/completions", { model: "m", messages: [system, { role: "user", content: ticket }] });
    expect(JSON.stringify(await ask("TOY-2"))).toContain("from the scenario");
    expect(JSON.stringify(await ask("TOY-4"))).toContain("no scenario for the developer");
    await expect(ask("TOY-3").then((answer) => JSON.stringify(answer))).resolves.toMatch(/error|policy of TOY-3/);
  });
});
