import { describe, expect, it } from "vitest";
import { Permanent, Retryable, UserError } from "../../src/domain/errors.ts";
import { retryAfterOf } from "../../src/models/failures.ts";
import { createModel } from "../../src/models/model.ts";
import { silentLog } from "../../src/platform/log.ts";
import { apiKey, scripted, ways } from "./scripted.ts";

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => new Error("it succeeded"),
    (error: unknown) => error,
  );

describe.each(ways)("oddities over $name", (way) => {
  type Turn = Parameters<typeof scripted>[0][number];
  const passing: [string, Turn, RegExp][] = [
    ["408", { status: 408 }, /could not answer for big \(408/],
    ["409", { status: 409 }, /409/],
    ["429", { status: 429 }, /429/],
    ["500", { status: 500 }, /500/],
    ["503", { status: 503 }, /503/],
    ["a broken connection", { say: "x".repeat(500), cut: true }, /connection|broke off/],
    [
      "an error in a body with status 200",
      { raw: '{"error":{"message":"upstream is busy","code":502}}' },
      /upstream is busy/,
    ],
    ["an error as plain text", { raw: '{"error":"model is loading"}' }, /model is loading/],
    ["JSON of another kind", { raw: '{"hello":"world"}' }, /is no (chat completion|response)/],
    ["HTML", { raw: "<html>Please log in</html>" }, /not JSON; does OPENAI_BASE_URL/],
    ["nothing", { raw: "" }, /not JSON/],
  ];

  it.each(passing)("%s is tried again, and passes", async (_, turn) => {
    const { complete, standIn } = await scripted([{ say: "Hello.", ...turn, times: 2 }], way);
    await expect(complete()).resolves.toMatchObject({ text: turn.say ?? "Hello." });
    expect(standIn.requests).toHaveLength(3);
  });

  it.each(passing)("%s is Retryable when it stays", async (_, turn, words) => {
    const { complete, standIn } = await scripted([turn], { ...way, maxRetries: 1 });
    const error = await failure(complete());
    expect(error).toBeInstanceOf(Retryable);
    expect((error as Error).message).toMatch(words);
    expect(standIn.requests).toHaveLength(2);
  });

  const final: [string, Turn, number, RegExp][] = [
    ["400", { status: 400 }, 400, /OPENAI_BASE_URL and OPENAI_MODEL belong together/],
    ["401", { status: 401 }, 401, /Check OPENAI_API_KEY/],
    ["402", { status: 402 }, 402, /OPENAI_API_KEY is out of credit/],
    ["403", { status: 403 }, 403, /Check OPENAI_API_KEY and OPENAI_MODEL/],
    ["404", { status: 404 }, 404, /knows no big.*OPENAI_MODEL.*OPENAI_BASE_URL/],
    ["422", { status: 422 }, 422, /OPENAI_MODEL/],
    ["a 401 in a body with status 200", { raw: '{"error":{"message":"no","code":401}}' }, 401, /Check OPENAI_API_KEY/],
  ];
  it.each(final)("%s is Permanent at once", async (_, turn, status, words) => {
    const { complete, standIn } = await scripted([turn], { ...way, roles: { qa: { fallbacks: ["small"] } } });
    const error = await failure(complete());
    expect(error).toBeInstanceOf(Permanent);
    expect(error).toMatchObject({ status, message: expect.stringMatching(words) });
    expect(standIn.requests).toHaveLength(1);
  });

  it("obeys a server that says another try is useless", async () => {
    const { complete, standIn } = await scripted([], way);
    expect(await failure(complete())).toMatchObject({ name: "Permanent", status: 500 });
    expect(standIn.unexpected).toEqual(["scenario */qa has no turn 0"]);
  });

  it("a wrong key is not repeated in the message", async () => {
    const { complete } = await scripted([{ say: "Hello." }], { ...way, apiKey: "wrong-key-for-tests" });
    const error = await failure(complete());
    expect(error).toMatchObject({ status: 401, message: expect.stringContaining("OPENAI_API_KEY") });
    expect((error as Error).message).not.toContain("wrong-key-for-tests");
  });

  it("gives up on silence", async () => {
    const { complete } = await scripted([{ say: "late", delayMs: 3000 }], { ...way, idleTimeoutMs: 50, maxRetries: 0 });
    expect(await failure(complete())).toMatchObject({
      name: "Retryable",
      message: "The model sent nothing within 0.05 s",
    });
  });

  it("gives up when the whole call takes too long", async () => {
    const { complete } = await scripted([{ say: "late", delayMs: 3000 }], { ...way, timeoutMs: 50, maxRetries: 0 });
    expect(await failure(complete())).toMatchObject({
      name: "Retryable",
      message: expect.stringMatching(/in time|within 0.05 s/),
    });
  });

  it("throws the reason of an abort, at once", async () => {
    const { complete, standIn } = await scripted([{ say: "late", delayMs: 3000 }], way);
    const controller = new AbortController();
    const reason = new Error("the run was cancelled");
    const begun = Date.now();
    const work = failure(complete({}, controller.signal));
    setTimeout(() => controller.abort(reason), 30);
    expect(await work).toBe(reason);
    expect(Date.now() - begun).toBeLessThan(1000);
    expect(await failure(complete({}, controller.signal))).toBe(reason);
    expect(standIn.requests.length).toBeLessThanOrEqual(1);
  });
});

describe("waiting", () => {
  it("not less than the server asks", async () => {
    const { complete, standIn } = await scripted([{ say: "Hello.", status: 429, retryAfter: 0.2, times: 1 }]);
    await complete();
    const [one, two] = standIn.requests;
    expect(two!.at - one!.at).toBeGreaterThanOrEqual(195);
  });

  it("but not for long: the run does that without holding a worker", async () => {
    const { complete, standIn } = await scripted([{ status: 429, retryAfter: 90 }]);
    expect(await failure(complete())).toMatchObject({ name: "Retryable", afterMs: 90_000 });
    expect(standIn.requests).toHaveLength(1);
  });

  it("ends with an abort", async () => {
    const { complete } = await scripted([{ status: 429, retryAfter: 5 }]);
    const begun = Date.now();
    await expect(complete({}, AbortSignal.timeout(50))).rejects.toMatchObject({ name: "TimeoutError" });
    expect(Date.now() - begun).toBeLessThan(1000);
  });

  const now = Date.parse("2026-05-04T10:00:00Z");
  const headers: [Record<string, string>, number | undefined][] = [
    [{}, undefined],
    [{ "retry-after": "7" }, 7000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after": "7", "retry-after-ms": "120" }, 120],
    [{ "retry-after": "Mon, 04 May 2026 10:00:20 GMT" }, 20_000],
    [{ "retry-after": "Mon, 04 May 2026 09:00:00 GMT" }, 0],
    [{ "retry-after": "soon" }, undefined],
  ];
  it.each(headers)("%j is %s ms", (given, ms) => {
    expect(retryAfterOf(new Headers(given), now)).toBe(ms);
  });
});

describe("fallbacks", () => {
  const options = { maxRetries: 1, roles: { qa: { fallbacks: ["middle", "small"] } } };

  it("are asked in order", async () => {
    const { complete, bodies } = await scripted([{ say: "Hello.", status: 503, times: 4 }], options);
    await expect(complete()).resolves.toMatchObject({ text: "Hello.", model: "small" });
    expect(bodies().map((body) => body.model)).toEqual(["big", "big", "middle", "middle", "small"]);
  });

  it("end in one Retryable with what each said and the shortest wait", async () => {
    const { complete, standIn } = await scripted([], options);
    standIn.fault = ({ body }) => {
      const { model } = body as { model: string };
      const seconds = { big: "600", middle: "60", small: "90" }[model] ?? "";
      return {
        when: "before",
        answer: { status: 429, headers: { "retry-after": seconds }, body: { error: { message: `${model} is busy` } } },
      };
    };
    const error = await failure(complete());
    expect(error).toMatchObject({ name: "Retryable", afterMs: 60_000 });
    expect((error as Error).message).toMatch(/big is busy.*middle is busy.*small is busy/);
  });
});

describe("the account and the address", () => {
  it("a used-up quota is not a rate limit", async () => {
    const { complete, standIn } = await scripted([]);
    const answer = { status: 429, body: { error: { message: "You exceeded your quota", code: "insufficient_quota" } } };
    standIn.fault = () => ({ when: "before", answer });
    expect(await failure(complete())).toMatchObject({
      name: "Permanent",
      message: expect.stringContaining("out of credit"),
    });
    expect(standIn.requests).toHaveLength(1);
  });

  it("a conversation that is too long", async () => {
    const { complete, standIn } = await scripted([]);
    const error = { message: "This model's maximum context length is 8192 tokens", code: "context_length_exceeded" };
    standIn.fault = () => ({ when: "before", answer: { status: 400, body: { error } } });
    expect(await failure(complete())).toMatchObject({
      name: "Permanent",
      message: expect.stringContaining("larger context"),
    });
  });

  it("a path that is not there", async () => {
    const { complete, standIn } = await scripted([]);
    const model = createModel({
      baseUrl: standIn.url,
      apiKey,
      api: "chat",
      model: "big",
      prices: {},
      timeoutMs: 1000,
      log: silentLog,
    });
    const request = { role: "qa", messages: [], tools: [], maxOutputTokens: 1 };
    const error = await failure(model.complete(request, new AbortController().signal));
    expect(error).toMatchObject({ status: 404, message: expect.stringContaining("should end in /v1") });
    expect(complete).toBeDefined();
  });

  it("nobody listens", async () => {
    const { complete, standIn } = await scripted([], { maxRetries: 0 });
    await standIn.close();
    expect(await failure(complete())).toMatchObject({
      name: "Retryable",
      message: expect.stringMatching(/ECONNREFUSED.*is OPENAI_BASE_URL right/),
    });
  });

  it.each(["", "localhost:1234/v1", "not a url"])("%j is no base URL", (baseUrl) => {
    const make = () =>
      createModel({ baseUrl, apiKey, api: "chat", model: "m", prices: {}, timeoutMs: 1, log: silentLog });
    expect(make).toThrow(UserError);
  });
});
