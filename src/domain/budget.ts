/**
 * The budget tree: run ⊂ ticket ⊂ project per day ⊂ everything per month. Each level is a pot; a call of a model needs room in all
 * four, and holds what it may cost at most until its real cost is known. Pure: `store/pots.ts` keeps the pots.
 */

/** From the smallest pot to the largest. Whoever locks several does so in this order. */
export const potKinds = ["run", "ticket", "project", "total"] as const;
export type PotKind = (typeof potKinds)[number];

/** What is counted. Dollars may be added by people; the other limits then grow in the same proportion. */
export const measures = ["usd", "tokens", "turns", "minutes"] as const;
export type Measure = (typeof measures)[number];

/** What may be spent from a pot. What is absent is not limited there. */
export interface PotLimits {
  readonly usd: number;
  readonly tokens?: number;
  /** Calls of a model. */
  readonly turns?: number;
  /** Minutes that a run is at work; waiting does not count. */
  readonly minutes?: number;
}
export type BudgetLimits = Readonly<Record<PotKind, PotLimits>>;

export interface Pot {
  /** Unique: kind, what it is for, and its day or month in UTC, e.g. `project SHOP 2026-03-31`. */
  readonly name: string;
  readonly kind: PotKind;
  readonly spent: { readonly usd: number; readonly tokens: number; readonly turns: number };
  /** Held for calls that are under way, of all runs that share the pot. */
  readonly reserved: { readonly usd: number; readonly tokens: number };
  /** Dollars that people have added to the limit. */
  readonly raisedUsd: number;
  /** Milliseconds until a new pot takes its place (the next day or month, UTC); null: never. */
  readonly opensInMs: number | null;
}

/** A call that is about to be made. */
export interface CallEstimate {
  /** The most that it can cost. */
  readonly usd: number;
  readonly tokens: number;
  /** Minutes that its run has been at work so far. */
  readonly minutes: number;
}

/** A limit that a call would break. */
export interface Shortage {
  readonly pot: string;
  readonly kind: PotKind;
  readonly measure: Measure;
  /** With what people have added. */
  readonly limit: number;
  readonly spent: number;
  /** Held for calls that are under way. */
  readonly reserved: number;
  readonly needed: number;
  /** Whether there is room as soon as the calls under way turn out cheap enough. */
  readonly passing: boolean;
  readonly opensInMs: number | null;
}

/** A limit most of which is used. */
export type Nearing = Pick<Shortage, "pot" | "kind" | "measure" | "limit" | "spent">;

/** The share of a limit at which people are told. */
export const nearingShare = 0.8;

/** Sums of decimal fractions are a little off in binary; a limit of $0.30 has room for three calls of $0.10. */
const dust = 1e-9;

/** The limit of a pot, raises included; Infinity where there is none. */
export function limitOf(limits: PotLimits, raisedUsd: number, measure: Measure): number {
  const limit = limits[measure];
  if (limit === undefined) return Number.POSITIVE_INFINITY;
  return measure === "usd" ? limit + raisedUsd : limit * (1 + raisedUsd / limits.usd);
}

function amountOf(amounts: Readonly<Partial<Record<Measure, number>>>, measure: Measure): number {
  return amounts[measure] ?? 0;
}

/** Which limits the call would break, smallest pot first; empty when it may be made. `pots` do not hold anything for it yet. */
export function shortagesOf(limits: BudgetLimits, pots: readonly Pot[], call: CallEstimate): Shortage[] {
  return pots.flatMap(({ name, kind, spent, reserved, raisedUsd, opensInMs }) =>
    measures.flatMap((measure) => {
      const limit = limitOf(limits[kind], raisedUsd, measure);
      const used = measure === "minutes" ? call.minutes : amountOf(spent, measure);
      const held = amountOf(reserved, measure);
      const needed = amountOf({ usd: call.usd, tokens: call.tokens, turns: 1 }, measure);
      if (used + held + needed <= limit + dust) return [];
      const passing = used + needed <= limit + dust;
      return [{ pot: name, kind, measure, limit, spent: used, reserved: held, needed, passing, opensInMs }];
    }),
  );
}

/** Of the run and of its ticket the limit most of which is used, from `nearingShare` on. */
export function nearingOf(limits: BudgetLimits, pots: readonly Pot[], minutes: number): Nearing[] {
  const close = pots.filter(({ kind }) => kind === "run" || kind === "ticket");
  return close.flatMap(({ name, kind, spent, raisedUsd }) => {
    const used = measures.map((measure) => ({
      pot: name,
      kind,
      measure,
      limit: limitOf(limits[kind], raisedUsd, measure),
      spent: measure === "minutes" ? minutes : amountOf(spent, measure),
    }));
    const [first] = used.toSorted((a, b) => b.spent / b.limit - a.spent / a.limit);
    return first !== undefined && first.spent >= first.limit * nearingShare - dust ? [first] : [];
  });
}
