/** One outside system that fails, falls silent or refuses us, and what its breaker lets through. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LockedOut, Permanent, Retryable, SystemAway } from "../../src/domain/errors.ts";
import { type Breaker, type BreakerOptions, createBreaker, guarded } from "../../src/platform/breaker.ts";
import { silentLog } from "../../src/platform/log.ts";

let alerts: string[];
/** Calls that reached the system. */
let reached: number;
/** What the system says to the next calls; "yes" when nothing is left. */
let answers: (Error | string)[];
let whoAmI: () => Promise<unknown>;
let asked: number;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  alerts = [];
  reached = 0;
  answers = [];
  asked = 0;
  whoAmI = async () => ({ id: "bot" });
});
afterEach(() => {
  vi.useRealTimers();
});

function breaker(more: Partial<BreakerOptions> = {}): Breaker {
  return createBreaker({
    system: "GitLab",
    setting: "GITLAB_TOKEN",
    whoAmI: () => {
      asked += 1;
      return whoAmI();
    },
    log: { ...silentLog, error: (message) => alerts.push(message) },
    ...more,
  });
}

async function system(): Promise<string> {
  reached += 1;
  const answer = answers.shift() ?? "yes";
  if (answer instanceof Error) throw answer;
  return answer;
}

const fault = () => new Retryable("GitLab answered 503");
const refusal = (status: number) => new Permanent(`GitLab answered ${status}`, { status });
const outcome = (one: Breaker) => one.call(system).catch((error: unknown) => error);
const dead = async () => Promise.reject(refusal(401));

describe("a system that does not answer", () => {
  test("is left alone after five faults in a row, and asked who we are after 30 s", async () => {
    const one = breaker({ host: "gitlab.acme.test" });
    const away = {
      system: "GitLab",
      message: "GitLab (gitlab.acme.test) does not answer at the moment: GitLab answered 503",
    };
    answers = Array.from({ length: 5 }, fault);
    whoAmI = async () => Promise.reject(fault());
    for (let call = 0; call < 4; call += 1) {
      const error = await outcome(one);
      expect(error).toMatchObject({ message: "GitLab answered 503" });
      expect(error).not.toBeInstanceOf(SystemAway);
    }
    expect(await outcome(one)).toMatchObject({ ...away, cause: { message: "GitLab answered 503" } });
    expect(one.state()).toMatchObject({ state: "open", reason: "GitLab answered 503", since: new Date(1_000_000) });

    vi.advanceTimersByTime(10_000);
    const held = await outcome(one);
    expect(held).toBeInstanceOf(SystemAway);
    expect(held).toMatchObject({ ...away, afterMs: 20_000 });
    expect({ reached, asked }).toEqual({ reached: 5, asked: 0 });

    vi.advanceTimersByTime(20_000);
    expect(await outcome(one)).toMatchObject({ ...away, afterMs: 30_000 });
    expect(await outcome(one)).toMatchObject({ ...away, afterMs: 30_000 });
    expect({ reached, asked }).toEqual({ reached: 5, asked: 1 });

    vi.advanceTimersByTime(30_000);
    whoAmI = async () => ({ id: "bot" });
    expect(await outcome(one)).toBe("yes");
    expect(one.state()).toMatchObject({ system: "GitLab", state: "closed", since: null, reason: "" });
    expect(await outcome(one)).toBe("yes");
    expect({ reached, asked }).toEqual({ reached: 7, asked: 2 });
    expect(alerts).toEqual([]);
  });

  test("is there when it knows who we are: a call that fails over and over is to blame itself", async () => {
    const one = breaker();
    answers = Array.from({ length: 8 }, fault);
    const away: boolean[] = [];
    for (let call = 0; call < 8; call += 1) {
      away.push((await outcome(one)) instanceof SystemAway);
      vi.advanceTimersByTime(30_000);
    }
    expect(away).toEqual([false, false, false, false, true, false, false, false]);
    expect({ reached, asked }).toEqual({ reached: 8, asked: 1 });
    expect(one.state().state).toBe("closed");
  });

  test("is not blamed for another one that is away in the middle of a call", async () => {
    const one = breaker();
    answers = Array.from(
      { length: 6 },
      () => new SystemAway("the database does not answer", { system: "the database" }),
    );
    for (let call = 0; call < 6; call += 1) expect(await outcome(one)).toMatchObject({ system: "the database" });
    expect(one.state().state).toBe("closed");
  });

  test("asks for the longer pause of the two, its own and the system's", async () => {
    const one = breaker();
    answers = Array.from({ length: 5 }, () => new Retryable("slow down", { afterMs: 600_000 }));
    for (let call = 0; call < 4; call += 1) await outcome(one);
    expect(await outcome(one)).toMatchObject({ name: "SystemAway", afterMs: 600_000 });
  });

  test("and then says that it does not know our token is back, and locked", async () => {
    const one = breaker();
    answers = Array.from({ length: 5 }, fault);
    for (let call = 0; call < 5; call += 1) await outcome(one);
    whoAmI = dead;
    vi.advanceTimersByTime(30_000);
    expect(await outcome(one)).toBeInstanceOf(LockedOut);
    expect(one.state().state).toBe("locked_out");
    whoAmI = async () => ({ id: "bot" });
    vi.advanceTimersByTime(300_000);
    expect(await outcome(one)).toBe("yes");
  });

  test("counts only faults in a row, and no refusals", async () => {
    const one = breaker();
    const four = () => Array.from({ length: 4 }, fault);
    answers = [...four(), "yes", ...four(), refusal(400), refusal(422), refusal(404)];
    while (answers.length > 0) await outcome(one);
    expect(one.state().state).toBe("closed");
  });

  test("is tried by one call only; the others do not wait for it", async () => {
    const one = breaker();
    answers = Array.from({ length: 5 }, fault);
    for (let call = 0; call < 5; call += 1) await outcome(one);
    vi.advanceTimersByTime(30_000);
    const probe = Promise.withResolvers<string>();
    whoAmI = () => probe.promise;
    const first = one.call(async () => "back");
    const others = await Promise.all(Array.from({ length: 50 }, () => outcome(one)));
    expect(others.every((error) => error instanceof Retryable && (error.afterMs ?? 0) > 0)).toBe(true);
    expect({ reached, asked }).toEqual({ reached: 5, asked: 1 });
    probe.resolve("bot");
    expect(await first).toBe("back");
    expect(await outcome(one)).toBe("yes");
  });

  test("that is tried by a call which breaks off for reasons of ours stays alone", async () => {
    const one = createBreaker({ system: "the model server", setting: "OPENAI_API_KEY", log: silentLog });
    answers = [...Array.from({ length: 5 }, fault), new Error("cancelled")];
    for (let call = 0; call < 5; call += 1) await outcome(one);
    vi.advanceTimersByTime(30_000);
    expect(await outcome(one)).toMatchObject({ message: "cancelled" });
    expect(one.state().state).toBe("open");
  });
});

describe("a system that refuses our token", () => {
  test("is not asked again, and there is one alert", async () => {
    const one = breaker();
    whoAmI = dead;
    answers = Array.from({ length: 100 }, () => refusal(401));
    const errors = await Promise.all(Array.from({ length: 3 }, () => outcome(one)));
    for (let call = 0; call < 50; call += 1) errors.push(await outcome(one));
    expect(errors.every((error) => error instanceof LockedOut)).toBe(true);
    expect(errors[0]).toMatchObject({
      message: "GitLab refuses our token (401): renew GITLAB_TOKEN",
      afterMs: 300_000,
    });
    expect(reached).toBe(3);
    expect(alerts).toEqual(["GitLab refuses our token (401): renew GITLAB_TOKEN"]);
    expect(one.state()).toMatchObject({ state: "locked_out", since: new Date(1_000_000) });
  });

  test("is asked every five minutes who we are, and used again once it knows", async () => {
    const one = breaker();
    whoAmI = dead;
    answers = [refusal(401)];
    await outcome(one);
    for (let hour = 0; hour < 12; hour += 1) {
      vi.advanceTimersByTime(300_000);
      expect(await outcome(one)).toBeInstanceOf(LockedOut);
      expect(await outcome(one)).toBeInstanceOf(LockedOut);
    }
    expect({ reached, asked }).toEqual({ reached: 1, asked: 13 });
    expect(alerts).toHaveLength(1);
    whoAmI = async () => ({ id: "bot" });
    expect(await outcome(one)).toBeInstanceOf(LockedOut);
    vi.advanceTimersByTime(300_000);
    expect(await outcome(one)).toBe("yes");
    expect(one.state().state).toBe("closed");

    whoAmI = dead;
    answers = [refusal(401)];
    expect(await outcome(one)).toBeInstanceOf(LockedOut);
    expect(alerts).toHaveLength(2);
  });

  test("and goes down meanwhile stays locked", async () => {
    const one = breaker();
    whoAmI = dead;
    answers = [refusal(401)];
    await outcome(one);
    whoAmI = async () => Promise.reject(fault());
    vi.advanceTimersByTime(300_000);
    await outcome(one);
    expect(one.state().state).toBe("locked_out");
    whoAmI = dead;
    vi.advanceTimersByTime(300_000);
    expect(await outcome(one)).toBeInstanceOf(LockedOut);
    expect(alerts).toHaveLength(1);
  });

  test("is believed only when it does not know us: a 401 may be a missing scope", async () => {
    const one = breaker();
    answers = [refusal(401), refusal(401)];
    expect(await outcome(one)).toMatchObject({ status: 401 });
    expect(await outcome(one)).toMatchObject({ status: 401 });
    expect(one.state().state).toBe("closed");
    expect(alerts).toEqual([]);
  });

  test("may show it by knowing nothing any more: 404 and 403 are looked into, once a minute", async () => {
    const one = breaker();
    answers = [refusal(404), refusal(403), refusal(404)];
    expect(await outcome(one)).toMatchObject({ status: 404 });
    await outcome(one);
    expect(asked).toBe(1);
    vi.advanceTimersByTime(61_000);
    whoAmI = dead;
    expect(await outcome(one)).toBeInstanceOf(LockedOut);
  });

  test("without a way to ask who we are, the next call after five minutes is the probe", async () => {
    const one = createBreaker({ system: "the model server", setting: "OPENAI_API_KEY", log: silentLog });
    answers = [refusal(404), refusal(401), refusal(401)];
    expect(await outcome(one)).toMatchObject({ status: 404 });
    expect(await outcome(one)).toBeInstanceOf(LockedOut);
    expect(await outcome(one)).toBeInstanceOf(LockedOut);
    expect(reached).toBe(2);
    vi.advanceTimersByTime(300_000);
    expect(await outcome(one)).toBeInstanceOf(LockedOut);
    vi.advanceTimersByTime(300_000);
    expect(await outcome(one)).toBe("yes");
    expect(reached).toBe(4);
  });
});

test("a guarded port passes arguments and answers, and leaves the members that were not named alone", async () => {
  const port = {
    add: async (a: number, b: number) => a + b,
    local: () => "at once",
    name: "port",
  };
  const one = breaker();
  const all = guarded(port, one);
  expect(await all.add(1, 2)).toBe(3);
  expect(all.name).toBe("port");
  const some = guarded(port, one, ["add"]);
  expect(some.local()).toBe("at once");
  expect(await some.add(2, 3)).toBe(5);
});
