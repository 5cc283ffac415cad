/** Notices an agent that goes in circles. */

/** Counts calls that were made before, since the last call that was new: running the tests again after an edit is no circle. */
export class Repeats {
  readonly #seen = new Set<string>();
  readonly #counts = new Map<string, number>();

  /** Notes a call and returns how often it was made since there was last something new, this time included. */
  note(call: string): number {
    if (!this.#seen.has(call)) this.#counts.clear();
    this.#seen.add(call);
    const count = (this.#counts.get(call) ?? 0) + 1;
    this.#counts.set(call, count);
    return count;
  }
}
