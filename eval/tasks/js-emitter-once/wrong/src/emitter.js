/** Tells listeners what happens. */
export class Emitter {
  #listeners = new Map();

  on(name, listener) {
    const list = this.#listeners.get(name) ?? [];
    list.push(listener);
    this.#listeners.set(name, list);
    return () => this.off(name, listener);
  }

  once(name, listener) {
    const wrapped = (...details) => {
      listener(...details);
      this.off(name, wrapped);
    };
    return this.on(name, wrapped);
  }

  off(name, listener) {
    const list = this.#listeners.get(name) ?? [];
    const at = list.indexOf(listener);
    if (at >= 0) list.splice(at, 1);
  }

  emit(name, ...details) {
    const list = this.#listeners.get(name) ?? [];
    for (const listener of list) listener(...details);
    return list.length;
  }
}
