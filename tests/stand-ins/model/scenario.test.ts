import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import type { ChatCompletionMessageParam } from "openai/resources/chat/completions";
import { afterEach, describe, expect, it } from "vitest";
import { UserError } from "../../../src/domain/errors.ts";
import { checkScenario, loadScenarios, type Scenario } from "../../../src/stand-ins/model/scenario.ts";
import { type ModelStandIn, startModel } from "../../../src/stand-ins/model/server.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function start(...scenarios: Scenario[]): Promise<{ standIn: ModelStandIn; client: OpenAI }> {
  const standIn = await startModel({ scenarios, apiKey: "toy-key" });
  closers.push(() => standIn.close());
  return { standIn, client: new OpenAI({ baseURL: standIn.baseUrl, apiKey: "toy-key", maxRetries: 0 }) };
}

const ask = (client: OpenAI, ...messages: ChatCompletionMessageParam[]) =>
  client.chat.completions.create({ model: "m", messages });
const system = (agent: string): ChatCompletionMessageParam => ({ role: "system", content: `You are the ${agent}.` });
const user = (content: string): ChatCompletionMessageParam => ({ role: "user", content });
const assistant = (content: string): ChatCompletionMessageParam => ({ role: "assistant", content });

describe("finding the turn", () => {
  const say = (text: string) => [{ say: text }];
  const scenarios: Scenario[] = [
    { ticket: "TOY-1", agents: { qa: [{ say: "one" }, { say: "two", expect: "^yes" }], writer: say("page") } },
    { ticket: "*", agents: { qa: say("any") } },
  ];
  const found: [string, ChatCompletionMessageParam[], string][] = [
    ["by agent", [system("writer"), user("TOY-1")], "page"],
    ["by the first key that has a scenario", [system("qa"), user("UTF-8, TOY-1")], "one"],
    ["for any other ticket", [system("qa"), user("TOY-2")], "any"],
    ["by the number of assistant messages", [system("qa"), user("TOY-1"), assistant("one"), user("yes")], "two"],
  ];
  it.each(found)("%s", async (_, messages, text) => {
    const { client, standIn } = await start(...scenarios);
    const reply = await ask(client, ...messages);
    expect(reply.choices[0]!.message.content).toBe(text);
    expect(standIn.unexpected).toEqual([]);
  });

  const lost: [string, ChatCompletionMessageParam[], string][] = [
    ["no agent", [system(""), user("TOY-1")], 'the system message does not say "You are the <agent>"'],
    ["no such agent", [system("planner"), user("TOY-1")], "scenario TOY-1/planner has no turn 0"],
    [
      "no such turn",
      [system("writer"), user("TOY-1"), assistant("page"), user("go on")],
      "scenario TOY-1/writer has no turn 1",
    ],
    [
      "another text than expected",
      [system("qa"), user("TOY-1"), assistant("one"), user("no")],
      "scenario TOY-1/qa turn 1 expected /^yes/ but saw: no",
    ],
  ];
  it.each(lost)("answers 500 for %s and remembers it", async (_, messages, words) => {
    const { client, standIn } = await start(...scenarios);
    await expect(ask(client, ...messages)).rejects.toMatchObject({ status: 500, message: `500 ${words}` });
    expect(standIn.unexpected).toEqual([words]);
  });

  it("says when no scenario knows the ticket", async () => {
    const { client, standIn } = await start({ ticket: "TOY-1", agents: {} });
    await expect(ask(client, system("qa"), user("TOY-9"))).rejects.toMatchObject({ status: 500 });
    expect(standIn.unexpected).toEqual(["no scenario for the qa on any of: TOY-9"]);
  });

  it("answers the same request with the same ids again", async () => {
    const { client } = await start({ ticket: "*", agents: { qa: [{ calls: [{ tool: "finish" }] }] } });
    const once = await ask(client, system("qa"));
    const again = await ask(client, system("qa"));
    expect({ ...again, created: 0 }).toEqual({ ...once, created: 0 });
  });

  it("lets an oddity with `times` pass and then answers as written", async () => {
    const { client } = await start({
      ticket: "*",
      agents: { qa: [{ say: "fine", status: 429, retryAfter: 2, times: 1 }] },
    });
    const refused = await ask(client, system("qa")).catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 429 });
    expect((refused as { headers: Headers }).headers.get("retry-after")).toBe("2");
    expect((await ask(client, system("qa"))).choices[0]!.message.content).toBe("fine");
  });
});

describe("mistakes in a scenario", () => {
  const mistakes: [string, unknown, string][] = [
    ["no ticket", { agents: {} }, "x.yaml: ticket: "],
    [
      "a ticket that is no key",
      { ticket: "shop", agents: {} },
      "x.yaml: ticket: must be a Jira key such as SHOP-1, or *",
    ],
    ["a call without tool", { ticket: "*", agents: { qa: [{ calls: [{}] }] } }, "x.yaml: agents.qa[0].calls[0].tool: "],
    [
      "a misspelt field",
      { ticket: "*", agents: { qa: [{ call: [] }] } },
      'x.yaml: agents.qa[0]: Unrecognized key: "call"',
    ],
    [
      "a broken expectation",
      { ticket: "*", agents: { qa: [{ expect: "(" }] } },
      "x.yaml: agents.qa[0].expect: is not a regular expression",
    ],
  ];
  it.each(mistakes)("%s", (_, value, words) => {
    expect(() => checkScenario(value, "x.yaml")).toThrow(words);
    expect(() => checkScenario(value, "x.yaml")).toThrow(UserError);
  });

  it("broken YAML and two files for one ticket name the file", async () => {
    const directory = await mkdtemp(join(tmpdir(), "scenarios-"));
    closers.push(() => rm(directory, { recursive: true }));
    await writeFile(join(directory, "a.yaml"), "ticket: TOY-1\nagents: {}\n");
    await writeFile(join(directory, "b.yaml"), "ticket: TOY-1\nagents: {}\n");
    await expect(loadScenarios(directory)).rejects.toThrow("b.yaml: ticket: TOY-1 has a scenario in a.yaml already");
    await writeFile(join(directory, "b.yaml"), "ticket: [\n");
    await expect(loadScenarios(directory)).rejects.toThrow(/^b\.yaml: /);
  });
});
