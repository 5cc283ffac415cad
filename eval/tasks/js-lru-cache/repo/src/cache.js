/** Keeps at most `limit` entries; the one that was not used for longest goes first. */
export class Cache {
  #entries = new Map();
  #limit;

  constructor(limit) {
    if (!Number.isInteger(limit) || limit < 1) throw new RangeError("limit must be at least 1");
    this.#limit = limit;
  }

  get size() {
    return this.#entries.size;
  }

  has(key) {
    return this.#entries.has(key);
  }

  get(key) {
    return this.#entries.get(key);
  }

  set(key, value) {
    if (this.#entries.size >= this.#limit) {
      this.#entries.delete(this.#entries.keys().next().value);
    }
    this.#entries.set(key, value);
    return this;
  }
}
