/** The outside writes of a run, told apart and named, and the exact moments around each at which a bot can be hit. */
import type { Fault, StandInRequest } from "../../src/stand-ins/server.ts";
import type { System, World } from "./world.ts";

/** Whether a request of the bot changes something outside. */
export function isWrite(system: System, { method, path }: StandInRequest): boolean {
  return system !== "model" && method !== "GET" && !path.endsWith("/git-upload-pack");
}

/** What a write does, without the ids in it. */
export function nameOf(system: System, { method, path, body }: StandInRequest): string {
  if (path.endsWith("/git-receive-pack")) return "gitlab push";
  const shape = path
    .replace(/^\/(rest\/api\/3|api\/v4|wiki\/api\/v2|wiki\/rest\/api)/, "")
    .replace(/[A-Z][A-Z0-9]+-\d+/, "KEY")
    .replace(/\/\d+/g, "/ID")
    .replace(/acme%2Fshop/i, "PROJECT");
  const transition = (body as { transition?: { id?: string } } | undefined)?.transition?.id;
  return `${system} ${method} ${shape}${transition === undefined ? "" : ` to ${transition}`}`;
}

/** The n-th write of a run (from 0) and its name. */
export interface Boundary {
  readonly at: number;
  readonly name: string;
  /** How many requests of any kind came since the write before: the last of them is the look before this write. */
  readonly looks: number;
}

/** Lets one ticket be worked off undisturbed and notes its writes. */
export async function listBoundaries(world: World): Promise<Boundary[]> {
  const found: Boundary[] = [];
  let looks = 0;
  world.onRequest = (system, request) => {
    if (isWrite(system, request)) {
      found.push({ at: found.length, name: nameOf(system, request), looks });
      looks = 0;
    } else looks += 1;
    return undefined;
  };
  try {
    const run = await world.ended(world.begin());
    if (run.state !== "done") throw new Error(`the undisturbed run ended ${run.state}: ${run.reason}`);
  } finally {
    world.onRequest = () => undefined;
  }
  return found;
}

export const moments = ["before the call", "after it was processed", "after the answer"] as const;
export type Moment = (typeof moments)[number];

/**
 * Waits for the n-th write from now on and hits the bot at the given moment around it. Resolves after the hit.
 * `lateMs` delays the hit after the answer.
 */
export function strikeAtWrite(
  world: World,
  at: number,
  moment: Moment,
  lateMs: number,
  hit: () => void,
): Promise<void> {
  let seen = 0;
  return new Promise((resolve) => {
    const strike = (): void => {
      world.onRequest = () => undefined;
      hit();
      resolve();
    };
    world.onRequest = (system, request): Fault | undefined => {
      if (!isWrite(system, request)) return undefined;
      seen += 1;
      if (seen !== at + 1) return undefined;
      if (moment === "after the answer") {
        world.onRequest = () => undefined;
        return { answered: () => void (lateMs > 0 ? setTimeout(strike, lateMs) : strike()) };
      }
      strike();
      return { when: moment === "before the call" ? "before" : "after", reset: true };
    };
  });
}
