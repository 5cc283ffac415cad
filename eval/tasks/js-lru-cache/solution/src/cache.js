/** Keeps at most `limit` entries; the one that was not used for longest goes first. */
export class Cache {
  /** In the order of their last use. */
  #entries = new Map();
  #limit;

  constructor(limit) {
    if (!Number.isInteger(limit) || limit < 1) throw new RangeError("limit must be at least 1");
    this.#limit = limit;
  }

  get size() {
    return this.#entries.size;
  }

  /** Whether the key is there. Does not count as use. */
  has(key) {
    return this.#entries.has(key);
  }

  get(key) {
    if (!this.#entries.has(key)) return undefined;
    const value = this.#entries.get(key);
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key, value) {
    this.#entries.delete(key);
    if (this.#entries.size >= this.#limit) {
      this.#entries.delete(this.#entries.keys().next().value);
    }
    this.#entries.set(key, value);
    return this;
  }
}
