/** Tells listeners what happens. */
export class Emitter {
  #listeners = new Map();

  /** Adds a listener. Returns a function that takes it off again. */
  on(name, listener) {
    return this.#add(name, { listener, once: false });
  }

  /** Adds a listener for the next event only. Returns a function that takes it off before. */
  once(name, listener) {
    return this.#add(name, { listener, once: true });
  }

  off(name, listener) {
    const entry = (this.#listeners.get(name) ?? []).find((one) => one.listener === listener);
    if (entry !== undefined) this.#remove(name, entry);
  }

  /** Calls everybody who listens now. Returns how many they were. */
  emit(name, ...details) {
    const entries = this.#listeners.get(name) ?? [];
    for (const entry of entries) {
      if (entry.once) this.#remove(name, entry);
      entry.listener(...details);
    }
    return entries.length;
  }

  #add(name, entry) {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), entry]);
    return () => this.#remove(name, entry);
  }

  /** Lists are replaced, never changed: an event that is under way goes on with its own. */
  #remove(name, entry) {
    const rest = (this.#listeners.get(name) ?? []).filter((one) => one !== entry);
    this.#listeners.set(name, rest);
  }
}
