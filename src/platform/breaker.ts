/**
 * One circuit breaker per outside system, so that a system that is down is not stormed and no worker is held up by it.
 *
 *   closed       calls go through
 *   open         several passing faults in a row: calls fail at once with SystemAway, until one call may try whether the system is
 *                back, by asking who we are: a system that answers that is there, whatever becomes of the call itself
 *   locked_out   the system does not know our token any more: calls fail at once with LockedOut, whoever asks, and the log has
 *                one alert; from time to time one call asks who we are and lifts the lock when there is an answer
 */
import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
} from "cockatiel";
import { LockedOut, messageOf, Permanent, Retryable, SystemAway, UserError } from "../domain/errors.ts";
import type { Log } from "./log.ts";

export interface BreakerOptions {
  /** Name of the system, for people, e.g. `GitLab`. */
  readonly system: string;
  /** Where it is, e.g. `gitlab.acme.test`: said to people when it is away. */
  readonly host?: string;
  /** The settings to renew when the token is refused, e.g. `GITLAB_TOKEN`. */
  readonly setting: string;
  /**
   * Asks the system who we are; throws Permanent with status 401 when it does not know. Without it every 401 counts as a dead token;
   * with it a refusal is believed only when this call agrees, since 401 is also a missing scope, and 404 also what a stranger sees.
   */
  readonly whoAmI?: () => Promise<unknown>;
  readonly log: Log;
  /** Passing faults in a row that open it. Default 5. */
  readonly failures?: number;
  /** Milliseconds until one call may try again. Default 30 s. */
  readonly probeMs?: number;
  /** The same for a refused token. Default 5 min. */
  readonly lockedOutMs?: number;
}

export interface BreakerState {
  readonly system: string;
  /** Where it is; empty when that was not said. */
  readonly host: string;
  readonly state: "closed" | "open" | "locked_out";
  /** When it left `closed`; null while it is closed. */
  readonly since: Date | null;
  /** Why, for people; empty while it is closed. Not redacted: it may quote the system. */
  readonly reason: string;
}

export interface Breaker {
  /**
   * Makes one call. Throws what the call throws; SystemAway when the system is down, or found to be by this very call, and LockedOut
   * when it refuses our token, both with the time until somebody may try.
   */
  call<T>(work: () => Promise<T>): Promise<T>;
  state(): BreakerState;
}

/** Our token is dead: the system itself said so. */
class TokenRefused extends Error {}

/** Statuses that may mean a dead token. Jira and Confluence show a stranger what strangers may see: nothing, that is 403 or 404. */
const suspicious = new Set([401, 403, 404]);

/** 403 and 404 are usually what they say: how long one answer to "who am I" is taken for granted on meeting them. */
const trustMs = 60_000;

/** Shortest pause that is asked for, where a call is under way that will tell more. */
const shortestMs = 1000;

/** A passing fault of this system. That another one is away (the database, asked for the lease in the middle of a call) is none. */
function isFault(error: unknown): error is Retryable {
  return error instanceof Retryable && !(error instanceof SystemAway);
}

/** Makes the breaker of one system. */
export function createBreaker(options: BreakerOptions): Breaker {
  const { system, host = "", setting, log, failures = 5, probeMs = 30_000, lockedOutMs = 300_000 } = options;
  const outage = createCircuit(isFault, failures, probeMs);
  const lock = createCircuit((error) => error instanceof TokenRefused, 1, lockedOutMs);
  let knownAt = 0;
  let reason = "";

  outage.circuit.onBreak(() => log.warn("a system does not answer, calls to it are held back", { system, reason }));
  outage.circuit.onReset(() => log.info("a system answers again", { system }));
  lock.circuit.onBreak(() => {
    // The one alert: a lock that a probe finds still in place breaks again, and that is no news.
    if (lock.wasClosed) log.error(`${system} refuses our token (401): renew ${setting}`, { system });
  });
  lock.circuit.onReset(() => log.info("a system accepts our token again", { system }));

  async function askWhoWeAre(): Promise<void> {
    try {
      await options.whoAmI?.();
      knownAt = Date.now();
    } catch (error) {
      if (statusOf(error) === 401) throw new TokenRefused();
      reason = messageOf(error);
      throw error;
    }
  }

  async function guardedCall<T>(work: () => Promise<T>): Promise<T> {
    // A stranger's view must not pass for an answer, so the probe comes first.
    if (lock.circuit.state === CircuitState.HalfOpen) await askWhoWeAre();
    try {
      return await work();
    } catch (error) {
      reason = messageOf(error);
      const status = statusOf(error);
      if (status === undefined || !suspicious.has(status)) throw error;
      if (options.whoAmI === undefined) throw status === 401 ? new TokenRefused() : error;
      if (status === 401 || Date.now() - knownAt > trustMs) await askWhoWeAre();
      throw error;
    }
  }

  return {
    async call(work) {
      // The library lets others wait for the outcome of a probe; a worker has better things to do.
      if (lock.circuit.state === CircuitState.HalfOpen) throw lockedOut(lock.leftMs());
      if (outage.circuit.state === CircuitState.HalfOpen) throw down(outage.leftMs());
      try {
        // Refused at once while it is too early for a probe. A call that goes wrong by itself must not keep the circuit open.
        if (outage.circuit.state === CircuitState.Open && options.whoAmI !== undefined) {
          await lock.circuit.execute(() => outage.circuit.execute(askWhoWeAre));
        }
        return await lock.circuit.execute(() => outage.circuit.execute(() => guardedCall(work)));
      } catch (error) {
        if (error instanceof TokenRefused) throw lockedOut(lock.leftMs());
        if (error instanceof BrokenCircuitError && lock.circuit.state === CircuitState.Open)
          throw lockedOut(lock.leftMs());
        if (error instanceof BrokenCircuitError) throw down(outage.leftMs());
        if (isFault(error) && outage.circuit.state === CircuitState.Open) {
          throw down(Math.max(outage.leftMs(), error.afterMs ?? 0), error);
        }
        throw error;
      }
    },
    state() {
      if (lock.since !== null) return { system, host, state: "locked_out", since: lock.since, reason: refusal() };
      if (outage.since !== null) return { system, host, state: "open", since: outage.since, reason };
      return { system, host, state: "closed", since: null, reason: "" };
    },
  };

  function refusal(): string {
    return `${system} refuses our token (401): renew ${setting}`;
  }

  function lockedOut(afterMs: number): LockedOut {
    return new LockedOut(refusal(), { system, afterMs });
  }

  function down(afterMs: number, cause?: Retryable): SystemAway {
    const name = host === "" ? system : `${system} (${host})`;
    return new SystemAway(`${name} does not answer at the moment: ${reason}`, { system, afterMs, cause });
  }
}

interface Circuit {
  readonly circuit: CircuitBreakerPolicy;
  /** When it broke first and has not been closed since. */
  readonly since: Date | null;
  /** Whether the break at hand came out of the closed state. */
  readonly wasClosed: boolean;
  /** Milliseconds until one call may try. */
  leftMs(): number;
}

/** A circuit that `counts` says which errors break; while it is tried, everything that is no answer of the system does. */
function createCircuit(counts: (error: unknown) => boolean, failures: number, halfOpenAfter: number): Circuit {
  const isAnswer = (error: unknown): boolean =>
    error instanceof Permanent || error instanceof UserError || (error instanceof TokenRefused && !counts(error));
  const circuit: CircuitBreakerPolicy = circuitBreaker(
    handleWhen((error) => counts(error) || (circuit.state === CircuitState.HalfOpen && !isAnswer(error))),
    { halfOpenAfter, breaker: new ConsecutiveBreaker(failures) },
  );
  let since: Date | null = null;
  let openedAt = 0;
  let wasClosed = true;
  circuit.onBreak(() => {
    openedAt = Date.now();
    wasClosed = since === null;
    since ??= new Date();
  });
  circuit.onReset(() => {
    since = null;
  });
  return {
    circuit,
    get since() {
      return since;
    },
    get wasClosed() {
      return wasClosed;
    },
    leftMs: () => Math.max(openedAt + halfOpenAfter - Date.now(), Math.min(shortestMs, halfOpenAfter)),
  };
}

function statusOf(error: unknown): number | undefined {
  return error instanceof Permanent ? error.status : undefined;
}

/**
 * The port with every call (or only those named) going through the breaker. For object literals whose methods need no `this`.
 * Do not guard a port that calls another port behind the same breaker: while it is tried, only one call goes through.
 */
export function guarded<Port extends object>(port: Port, breaker: Breaker, names?: readonly (keyof Port)[]): Port {
  const members = Object.entries(port).map(([name, member]: [string, unknown]) => {
    if (typeof member !== "function" || (names !== undefined && !names.includes(name as keyof Port))) {
      return [name, member];
    }
    return [name, (...args: unknown[]) => breaker.call(async () => Reflect.apply(member, port, args) as unknown)];
  });
  return Object.fromEntries(members) as Port;
}
