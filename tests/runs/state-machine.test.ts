/**
 * Runs and their ledger on a real Postgres, held against a model in memory: random commands by workers of which some were taken
 * over. fast-check prints the seed and the shortest list of commands when something does not hold. CHAOS_SEEDS=20 tries 20 times more.
 */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Permanent } from "../../src/domain/errors.ts";
import { type EndState, endStates, mayMove, type Run, type RunState } from "../../src/domain/run.ts";
import { markSent, noteFailure, planEffects, settle } from "../../src/store/ledger.ts";
import type { Database } from "../../src/store/queryable.ts";
import * as runs from "../../src/store/runs.ts";
import { openTestDatabase } from "../support/database.ts";

type EffectState = "planned" | "sent" | "settled" | "failed";

interface RunModel {
  readonly ticket: string;
  state: RunState;
  epoch: number;
  /** Whether its lease has run out. */
  lapsed: boolean;
  /** Whether its time has come, if it has to wait for one. */
  due: boolean;
  cancelRequested: boolean;
  readonly effects: Map<string, { content: number; state: EffectState }>;
}

/** What should be true. Runs and leases stand in the order in which they came to be, as they do in `Real`. */
interface Model {
  readonly runs: RunModel[];
  readonly leases: { readonly run: RunModel; readonly epoch: number }[];
}

interface Real {
  readonly db: Database;
  /** Tells this sequence of commands from all others in the database. */
  readonly prefix: string;
  readonly ids: string[];
  /** Every lease that a worker ever got, as that worker remembers it. */
  readonly leases: Run[];
  seen: Snapshot;
}

interface Snapshot {
  readonly runs: ReadonlyMap<string, { ticket: string; state: RunState; epoch: number }>;
  readonly effects: ReadonlyMap<string, { state: EffectState; epoch: number; json: string }>;
  /** Everything there is, as text. */
  readonly text: string;
}

type Command = fc.AsyncCommand<Model, Real>;

const leaseMs = 600_000;
const effectNames = ["comment", "branch"] as const;
const active = (state: RunState): boolean => ["queued", "running", "waiting"].includes(state);

async function look(db: Database, prefix: string): Promise<Snapshot> {
  const mine = `${prefix}-%`;
  const [runRows, effectRows] = await Promise.all([
    db.query<{ id: string; ticket: string; state: RunState; epoch: number; json: string }>(
      `select id, ticket, state, epoch, to_jsonb(r)::text as json from ticketsmith.runs r where id like $1 order by id`,
      [mine],
    ),
    db.query<{ key: string; state: EffectState; epoch: number; json: string }>(
      `select key, state, epoch, to_jsonb(e)::text as json from ticketsmith.effects e where run_id like $1 order by key`,
      [mine],
    ),
  ]);
  return {
    runs: new Map(runRows.rows.map((row) => [row.id, row])),
    effects: new Map(effectRows.rows.map((row) => [row.key, row])),
    text: [...runRows.rows, ...effectRows.rows].map(({ json }) => json).join("\n"),
  };
}

/** What holds whatever was done. */
function checkInvariants(before: Snapshot, after: Snapshot): void {
  const busy = new Set<string>();
  for (const [id, now] of after.runs) {
    const then = before.runs.get(id);
    if (then !== undefined) {
      const legal = then.state === now.state || mayMove(then.state, now.state);
      expect(legal, `${id} went from ${then.state} to ${now.state}`).toBe(true);
      expect(now.epoch).toBeGreaterThanOrEqual(then.epoch);
    }
    if (active(now.state)) {
      expect(busy.has(now.ticket), `two active runs of ${now.ticket}`).toBe(false);
      busy.add(now.ticket);
    }
  }
  for (const [key, then] of before.effects) {
    const now = after.effects.get(key);
    expect(now, `${key} is gone`).toBeDefined();
    expect(now?.epoch).toBeGreaterThanOrEqual(then.epoch);
    // Settled is settled: neither its state nor where it lives nor when it happened changes any more.
    if (then.state === "settled") expect(now?.json).toBe(then.json);
  }
}

/** The database says what the model says. */
function checkModel(model: Model, real: Real, now: Snapshot): void {
  for (const [at, run] of model.runs.entries()) {
    const id = real.ids[at]!;
    expect(now.runs.get(id)).toMatchObject({ state: run.state, epoch: run.epoch });
    for (const [name, { state }] of run.effects) {
      expect(now.effects.get(`${id}/step/${name}`)?.state, `effect ${name} of ${id}`).toBe(state);
    }
  }
  expect(now.runs.size).toBe(model.runs.length);
  expect(now.effects.size).toBe(model.runs.reduce((sum, run) => sum + run.effects.size, 0));
}

/** Does something, and looks whether all is as it should be. `idle`: nothing at all may have changed. */
async function step(model: Model, real: Real, idle: boolean, act: () => Promise<void>): Promise<void> {
  await act();
  const now = await look(real.db, real.prefix);
  checkInvariants(real.seen, now);
  if (idle) expect(now.text).toBe(real.seen.text);
  checkModel(model, real, now);
  real.seen = now;
}

function one<T>(list: readonly T[], at: number): T {
  return list[at % list.length]!;
}

class Start implements Command {
  constructor(ticket: string) {
    this.ticket = ticket;
  }
  readonly ticket: string;
  check = (): boolean => true;
  async run(model: Model, real: Real): Promise<void> {
    const taken = model.runs.some(({ ticket, state }) => ticket === this.ticket && active(state));
    const id = `${real.prefix}-${real.ids.length}`;
    if (!taken) {
      const fresh = { epoch: 0, lapsed: false, due: true, cancelRequested: false, effects: new Map() };
      model.runs.push({ ticket: this.ticket, state: "queued", ...fresh });
      real.ids.push(id);
    }
    await step(model, real, taken, async () => {
      const target = { ticket: `${real.prefix}-${this.ticket}`, project: "SHOP", repository: "acme/shop" };
      const run = await runs.insertRun(real.db, { id, workflow: "w", step: "step", requestedBy: "mia", target });
      expect(run === null).toBe(taken);
    });
  }
  toString = (): string => `start(${this.ticket})`;
}

/** A command about some run. */
abstract class OfRun implements Command {
  constructor(at: number) {
    this.at = at;
  }
  readonly at: number;
  check = (model: Readonly<Model>): boolean => model.runs.length > 0;
  run(model: Model, real: Real): Promise<void> {
    return this.act(model, real, one(model.runs, this.at), one(real.ids, this.at));
  }
  abstract act(model: Model, real: Real, run: RunModel, id: string): Promise<void>;
  toString(): string {
    return `${this.constructor.name}(${this.at})`;
  }
}

class Claim extends OfRun {
  async act(model: Model, real: Real, run: RunModel, id: string): Promise<void> {
    const free = (run.state === "queued" && run.due) || (run.state === "running" && run.lapsed);
    if (free) {
      run.state = "running";
      run.epoch += 1;
      run.lapsed = false;
      model.leases.push({ run, epoch: run.epoch });
    }
    await step(model, real, !free, async () => {
      const claimed = await runs.claimRun(real.db, id, leaseMs);
      expect(claimed !== null).toBe(free);
      if (claimed !== null) real.leases.push(claimed);
    });
  }
}

/** Two workers reach for it at the same time. */
class Race extends OfRun {
  async act(model: Model, real: Real, run: RunModel, id: string): Promise<void> {
    const free = (run.state === "queued" && run.due) || (run.state === "running" && run.lapsed);
    if (free) {
      run.state = "running";
      run.epoch += 1;
      run.lapsed = false;
      model.leases.push({ run, epoch: run.epoch });
    }
    await step(model, real, !free, async () => {
      const both = await Promise.all([runs.claimRun(real.db, id, leaseMs), runs.claimRun(real.db, id, leaseMs)]);
      const got = both.filter((claimed) => claimed !== null);
      expect(got).toHaveLength(free ? 1 : 0);
      real.leases.push(...got);
    });
  }
}

/** Its worker dies or sleeps: the lease runs out. */
class Crash extends OfRun {
  async act(model: Model, real: Real, run: RunModel, id: string): Promise<void> {
    if (run.state === "running") run.lapsed = true;
    await step(model, real, run.state !== "running", async () => {
      await real.db.query(
        `update ticketsmith.runs set lease_until = now() - interval '1 s' where id = $1 and state = 'running'`,
        [id],
      );
    });
  }
}

class Cancel extends OfRun {
  async act(model: Model, real: Real, run: RunModel, id: string): Promise<void> {
    const heard = active(run.state);
    if (heard) {
      run.cancelRequested = true;
      if (run.state !== "running") {
        run.state = run.epoch === 0 ? "cancelled" : "queued";
        run.due = true;
      }
    }
    await step(model, real, !heard, async () => {
      expect((await runs.requestCancel(real.db, id, "enough"))?.state ?? null).toBe(heard ? run.state : null);
    });
  }
}

/** The gate opens: somebody answered. */
class Resume extends OfRun {
  async act(model: Model, real: Real, run: RunModel, id: string): Promise<void> {
    const waits = run.state === "waiting";
    if (waits) {
      run.state = "queued";
      run.due = true;
    }
    await step(model, real, !waits, async () => {
      expect(await runs.resumeRun(real.db, id)).toBe(waits);
    });
  }
}

/** The time that it was to wait for comes. */
class TimePasses extends OfRun {
  async act(model: Model, real: Real, run: RunModel, id: string): Promise<void> {
    const sleeps = !run.due;
    const wakes = run.state === "waiting" && sleeps;
    if (sleeps && (run.state === "queued" || wakes)) run.due = true;
    if (wakes) run.state = "queued";
    await step(model, real, !sleeps, async () => {
      await real.db.query(
        `update ticketsmith.runs set not_before = now() - interval '1 s' where id = $1 and not_before > now()`,
        [id],
      );
      const woken = await runs.wakeRuns(real.db);
      expect(woken.includes(id)).toBe(wakes);
    });
  }
}

/** A command by some worker that has, or had, a lease. */
abstract class OfLease implements Command {
  constructor(at: number) {
    this.at = at;
  }
  readonly at: number;
  check = (model: Readonly<Model>): boolean => model.leases.length > 0;
  run(model: Model, real: Real): Promise<void> {
    const { run, epoch } = one(model.leases, this.at);
    const ours = run.state === "running" && run.epoch === epoch;
    return this.act(model, real, { run, ours, lease: one(real.leases, this.at) });
  }
  abstract act(model: Model, real: Real, work: { run: RunModel; ours: boolean; lease: Run }): Promise<void>;
  toString(): string {
    return `${this.constructor.name}(${this.at})`;
  }
}

type Work = Parameters<OfLease["act"]>[2];

/** Refused when the lease is not ours, and only then. */
async function fenced(ours: boolean, write: Promise<unknown>): Promise<void> {
  if (ours) await write;
  else await expect(write).rejects.toThrow(runs.LeaseLost);
}

class Renew extends OfLease {
  async act(model: Model, real: Real, { run, ours, lease }: Work): Promise<void> {
    if (ours) run.lapsed = false;
    await step(model, real, !ours, async () => {
      const renewing = runs.renewLease(real.db, lease, leaseMs);
      await fenced(ours, renewing);
      if (ours) expect((await renewing).cancelRequested).toBe(run.cancelRequested);
    });
  }
}

class HandOver extends OfLease {
  constructor(at: number, to: "queued" | "waiting" | EndState, delayed: boolean) {
    super(at);
    this.to = to;
    this.delayed = delayed;
  }
  readonly to: "queued" | "waiting" | EndState;
  readonly delayed: boolean;
  async act(model: Model, real: Real, { run, ours, lease }: Work): Promise<void> {
    if (ours) {
      run.state = this.to;
      run.due = !this.delayed;
    }
    const waitingFor = this.to === "waiting" ? ({ kind: "timer", reason: "a while" } as const) : null;
    const delayMs = this.delayed ? 3_600_000 : undefined;
    await step(model, real, !ours, () =>
      fenced(ours, runs.handOver(real.db, lease, { state: this.to, waitingFor, delayMs, reason: "so" })),
    );
  }
  override toString(): string {
    return `HandOver(${this.at}, ${this.to}${this.delayed ? ", later" : ""})`;
  }
}

/** A command about an effect of the run. */
abstract class OfEffect extends OfLease {
  constructor(at: number, name: string) {
    super(at);
    this.name = name;
  }
  readonly name: string;
  keyOf = (lease: Run): string => `${lease.id}/step/${this.name}`;
  override toString(): string {
    return `${this.constructor.name}(${this.at}, ${this.name})`;
  }
}

class Plan extends OfEffect {
  constructor(at: number, name: string, content: number) {
    super(at, name);
    this.content = content;
  }
  readonly content: number;
  async act(model: Model, real: Real, { run, ours, lease }: Work): Promise<void> {
    const there = run.effects.get(this.name);
    const conflict = there !== undefined && there.content !== this.content;
    if (ours && there === undefined) run.effects.set(this.name, { content: this.content, state: "planned" });
    await step(model, real, !ours || there !== undefined, async () => {
      const effect = { kind: "jira.status", ticket: lease.target.ticket, body: `text ${this.content}` } as const;
      const planning = real.db.transaction(async (tx) => {
        await runs.holdLease(tx, lease);
        await planEffects(tx, lease, "step", [{ name: this.name, effect }]);
      });
      if (ours && conflict) await expect(planning).rejects.toThrow(Permanent);
      else await fenced(ours, planning);
    });
  }
}

class MarkSent extends OfEffect {
  async act(model: Model, real: Real, { run, ours, lease }: Work): Promise<void> {
    const effect = run.effects.get(this.name);
    const may = ours && effect !== undefined && effect.state !== "settled";
    if (may) effect.state = "sent";
    await step(model, real, !may, () => fenced(may, markSent(real.db, lease, this.keyOf(lease))));
  }
}

/** Not fenced: what happened has happened, whoever tells. */
class Settle extends OfEffect {
  async act(model: Model, real: Real, { run, lease }: Work): Promise<void> {
    const effect = run.effects.get(this.name);
    const may = effect !== undefined && effect.state !== "settled";
    if (may) effect.state = "settled";
    await step(model, real, !may, async () => {
      const ref = { id: String(this.at), url: "" };
      expect(await settle(real.db, this.keyOf(lease), { outcome: "created", ref })).toBe(may);
    });
  }
}

class Fail extends OfEffect {
  constructor(at: number, name: string, forGood: boolean) {
    super(at, name);
    this.forGood = forGood;
  }
  readonly forGood: boolean;
  async act(model: Model, real: Real, { run, ours, lease }: Work): Promise<void> {
    const effect = run.effects.get(this.name);
    const may = ours && effect !== undefined && effect.state !== "settled";
    if (may && this.forGood) effect.state = "failed";
    await step(model, real, !may, () =>
      fenced(ours, noteFailure(real.db, lease, this.keyOf(lease), `no ${this.at}`, this.forGood)),
    );
  }
}

const at = fc.nat({ max: 11 });
const name = fc.constantFrom(...effectNames);
const handOverTo = fc.constantFrom("queued", "waiting", ...endStates);
const claims = at.map((n) => new Claim(n));
const commands = [
  fc.constantFrom("SHOP-1", "SHOP-2").map((ticket) => new Start(ticket)),
  claims,
  // Twice: without a lease nothing else has anything to do.
  claims,
  at.map((n) => new Race(n)),
  at.map((n) => new Crash(n)),
  at.map((n) => new Cancel(n)),
  at.map((n) => new Resume(n)),
  at.map((n) => new TimePasses(n)),
  at.map((n) => new Renew(n)),
  fc.tuple(at, handOverTo, fc.boolean()).map(([n, to, delayed]) => new HandOver(n, to, delayed)),
  fc.tuple(at, name, fc.nat({ max: 1 })).map(([n, effect, content]) => new Plan(n, effect, content)),
  fc.tuple(at, name).map(([n, effect]) => new MarkSent(n, effect)),
  fc.tuple(at, name).map(([n, effect]) => new Settle(n, effect)),
  fc.tuple(at, name, fc.boolean()).map(([n, effect, forGood]) => new Fail(n, effect, forGood)),
];

let db: Database;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());

const rounds = 60 * Number(process.env.CHAOS_SEEDS ?? 1);

test(
  "runs and effects do what the model says, whoever is taken over and whenever",
  async () => {
    let sequences = 0;
    const property = fc.asyncProperty(fc.commands(commands, { size: "max", maxCommands: 30 }), async (sequence) => {
      sequences += 1;
      const prefix = `m${sequences}`;
      // Runs of earlier sequences must not be woken in this one.
      await db.query("delete from ticketsmith.runs");
      const real: Real = { db, prefix, ids: [], leases: [], seen: await look(db, prefix) };
      await fc.asyncModelRun(
        () => ({ model: { runs: [], leases: [] }, real }),
        [...[new Start("SHOP-1")], ...sequence],
      );
    });
    await fc.assert(property, { numRuns: rounds });
  },
  rounds * 2000,
);
