/** The budget tree as a pure decision: what has room, what is told at 80 %, and that pots hold however many runs share them. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BudgetLimits, limitOf, nearingOf, type Pot, type PotKind, shortagesOf } from "../../src/domain/budget.ts";

const limits: BudgetLimits = {
  run: { usd: 5, tokens: 1000, turns: 10, minutes: 60 },
  ticket: { usd: 15, tokens: 3000 },
  project: { usd: 50 },
  total: { usd: 500 },
};

type Change = Partial<Pick<Pot, "raisedUsd" | "opensInMs">> & {
  spent?: Partial<Pot["spent"]>;
  reserved?: Partial<Pot["reserved"]>;
};

function pot(kind: PotKind, { spent, reserved, ...more }: Change = {}): Pot {
  return {
    name: `${kind} x`,
    kind,
    spent: { usd: 0, tokens: 0, turns: 0, ...spent },
    reserved: { usd: 0, tokens: 0, ...reserved },
    raisedUsd: 0,
    opensInMs: null,
    ...more,
  };
}

const call = { usd: 1, tokens: 100, minutes: 0 };

describe("a call", () => {
  test.each<[name: string, Pot, Partial<typeof call>, string[]]>([
    ["has room in an empty pot", pot("run"), {}, []],
    ["may use the last cent", pot("run", { spent: { usd: 4 } }), {}, []],
    ["may use the last cent, added up from many", pot("run", { spent: { usd: 0.1 + 0.2 + 3.7 } }), {}, []],
    ["may not use one more", pot("run", { spent: { usd: 4.01 } }), {}, ["usd"]],
    ["has no room where others hold it", pot("ticket", { reserved: { usd: 14.5 } }), {}, ["usd"]],
    ["counts tokens", pot("run", { spent: { tokens: 901 } }), {}, ["tokens"]],
    ["counts calls", pot("run", { spent: { turns: 10 } }), {}, ["turns"]],
    ["counts minutes", pot("run"), { minutes: 60.5 }, ["minutes"]],
    [
      "is told all limits that it breaks",
      pot("run", { spent: { usd: 5, tokens: 1000, turns: 10 } }),
      {},
      ["usd", "tokens", "turns"],
    ],
    ["that costs nothing has room in a full pot", pot("project", { spent: { usd: 50 } }), { usd: 0 }, []],
    ["has no room in a pot that was overspent", pot("project", { spent: { usd: 51 } }), { usd: 0 }, ["usd"]],
    [
      "is not limited where there is no limit",
      pot("total", { spent: { tokens: 1e12, turns: 1e6 } }),
      { minutes: 1e6 },
      [],
    ],
    ["has room after a raise", pot("run", { spent: { usd: 5 }, raisedUsd: 2 }), {}, []],
    // $2 on $5 are 40 % more of everything.
    ["has tokens after a raise", pot("run", { spent: { tokens: 1300 }, raisedUsd: 2 }), {}, []],
    ["has only so many", pot("run", { spent: { tokens: 1301 }, raisedUsd: 2 }), {}, ["tokens"]],
    ["has minutes after a raise", pot("run", { raisedUsd: 5 }), { minutes: 119 }, []],
  ])("%s", (_name, given, more, measures) => {
    expect(shortagesOf(limits, [given], { ...call, ...more }).map(({ measure }) => measure)).toEqual(measures);
  });

  test("names the limit, what is spent and held, and when the pot opens again", () => {
    const day = pot("project", { spent: { usd: 48 }, reserved: { usd: 1.5 }, opensInMs: 3_600_000 });
    expect(shortagesOf(limits, [pot("run"), day], call)).toEqual([
      {
        pot: "project x",
        kind: "project",
        measure: "usd",
        limit: 50,
        spent: 48,
        reserved: 1.5,
        needed: 1,
        passing: true,
        opensInMs: 3_600_000,
      },
    ]);
  });

  test("is not worth waiting for where the money is spent", () => {
    const full = pot("project", { spent: { usd: 49.5 }, reserved: { usd: 0.2 } });
    expect(shortagesOf(limits, [full], call)[0]?.passing).toBe(false);
  });
});

describe("at 80 %", () => {
  test.each<[name: string, Pot[], number, string[]]>([
    ["not before", [pot("run", { spent: { usd: 3.99 } })], 0, []],
    ["from then on", [pot("run", { spent: { usd: 4 } })], 0, ["run usd"]],
    ["what is held does not count", [pot("run", { spent: { usd: 3 }, reserved: { usd: 1.5 } })], 0, []],
    ["the nearest limit of a pot", [pot("run", { spent: { usd: 4, tokens: 900 } })], 0, ["run tokens"]],
    ["minutes, too", [pot("run")], 48, ["run minutes"]],
    [
      "run and ticket, not the large pots",
      (["run", "ticket", "project", "total"] as const).map((kind) => pot(kind, { spent: { usd: 499 } })),
      0,
      ["run usd", "ticket usd"],
    ],
    ["a raise counts", [pot("run", { spent: { usd: 4 }, raisedUsd: 2 })], 0, []],
  ])("%s", (_name, pots, minutes, expected) => {
    expect(nearingOf(limits, pots, minutes).map(({ kind, measure }) => `${kind} ${measure}`)).toEqual(expected);
  });
});

describe("whatever comes", () => {
  const cents = (max: number) => fc.integer({ min: 0, max }).map((n) => n / 100);
  /** What happens next: a run asks for a call, or the oldest call of a run comes back and costs this share of what was held. */
  const step = fc.record({
    run: fc.integer({ min: 0, max: 3 }),
    settles: fc.boolean(),
    usd: cents(300),
    tokens: fc.integer({ min: 0, max: 400 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  });

  /** Four runs of two tickets of one project, with one pot each and shared ones above. */
  function play(
    steps: readonly { run: number; settles: boolean; usd: number; tokens: number; share: number }[],
    over: number,
  ) {
    const pots = new Map<string, Pot>();
    const open: { run: number; usd: number; tokens: number }[] = [];
    const namesOf = (run: number) => [`run r${run}`, `ticket T-${run % 2}`, "project SHOP", "total now"];
    const get = (name: string) => pots.get(name) ?? { ...pot(name.split(" ")[0] as PotKind), name };
    const add = (run: number, spent: Change["spent"], reserved: { usd: number; tokens: number }) => {
      for (const name of namesOf(run)) {
        const now = get(name);
        pots.set(name, {
          ...now,
          spent: {
            usd: now.spent.usd + (spent?.usd ?? 0),
            tokens: now.spent.tokens + (spent?.tokens ?? 0),
            turns: now.spent.turns + (spent?.turns ?? 0),
          },
          reserved: { usd: now.reserved.usd + reserved.usd, tokens: now.reserved.tokens + reserved.tokens },
        });
      }
    };
    let overspent = 0;
    for (const { run, settles, usd, tokens, share } of steps) {
      const mine = open.findIndex((one) => one.run === run);
      if (!settles && mine < 0) {
        if (shortagesOf(tight, namesOf(run).map(get), { usd, tokens, minutes: 0 }).length > 0) continue;
        add(run, undefined, { usd, tokens });
        open.push({ run, usd, tokens });
      } else if (settles && mine >= 0) {
        const [held = { usd: 0, tokens: 0 }] = open.splice(mine, 1);
        const cost = held.usd * share * over;
        overspent += Math.max(0, cost - held.usd);
        add(
          run,
          { usd: cost, tokens: Math.round(held.tokens * share), turns: 1 },
          { usd: -held.usd, tokens: -held.tokens },
        );
      }
    }
    return { pots: [...pots.values()], overspent };
  }
  const tight: BudgetLimits = {
    run: { usd: 5, tokens: 900, turns: 6 },
    ticket: { usd: 8, tokens: 1500 },
    project: { usd: 12 },
    total: { usd: 11 },
  };

  test("nothing is overspent while calls cost no more than they may", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        for (const { kind, spent, reserved } of play(steps, 1).pots) {
          expect(spent.usd + reserved.usd).toBeLessThanOrEqual(tight[kind].usd + 1e-6);
          expect(spent.tokens + reserved.tokens).toBeLessThanOrEqual(limitOf(tight[kind], 0, "tokens"));
          expect(spent.turns).toBeLessThanOrEqual(limitOf(tight[kind], 0, "turns"));
        }
      }),
    );
  });

  test("and by no more than calls cost above what they may", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.double({ min: 1, max: 3, noNaN: true }), (steps, over) => {
        const { pots, overspent } = play(steps, over);
        for (const { kind, spent } of pots) expect(spent.usd).toBeLessThanOrEqual(tight[kind].usd + overspent + 1e-6);
      }),
    );
  });
});
