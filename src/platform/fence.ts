/**
 * The fence: what is asked right before a request leaves. Work that must not go on once somebody else has taken it over is done
 * behind one; adapters ask it without knowing what it is about.
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** Resolves when the request may leave, throws when it must not any more. */
export type Fence = () => Promise<void>;

const fences = new AsyncLocalStorage<Fence>();

/** Does `work` with a fence around it, in place of any that is there already. */
export function behindFence<T>(fence: Fence, work: () => Promise<T>): Promise<T> {
  return fences.run(fence, work);
}

/**
 * To be awaited by an adapter as the very last thing before every request that changes something outside, after all waiting.
 * Throws what the fence throws; outside of `behindFence` nothing is asked.
 */
export async function passFence(): Promise<void> {
  await fences.getStore()?.();
}
