export class OutOfStock extends Error {
  override readonly name = "OutOfStock";
}

/** What lies on the shelves, by sku, and what of it is promised to orders. */
export class Stock {
  readonly #shelf = new Map<string, number>();
  readonly #reserved = new Map<string, Map<string, number>>();

  /** Puts items on the shelf. */
  receive(sku: string, count: number): void {
    this.#shelf.set(sku, this.onShelf(sku) + count);
  }

  onShelf(sku: string): number {
    return this.#shelf.get(sku) ?? 0;
  }

  /** What is on the shelf and promised to nobody. */
  available(sku: string): number {
    const promised = [...this.#reserved.values()].reduce((sum, items) => sum + (items.get(sku) ?? 0), 0);
    return this.onShelf(sku) - promised;
  }

  /** Promises items to an order. Throws OutOfStock, and changes nothing, when there are too few. */
  reserve(order: string, sku: string, count: number): void {
    if (count > this.available(sku)) throw new OutOfStock(`${sku}: ${count} wanted, ${this.available(sku)} available`);
    const items = this.#reserved.get(order) ?? new Map<string, number>();
    items.set(sku, (items.get(sku) ?? 0) + count);
    this.#reserved.set(order, items);
  }

  /** Takes back everything that was promised to an order. */
  release(order: string): void {
    this.#reserved.delete(order);
  }

  /** Takes an order's items off the shelf. Returns them; none for an order without reservations. */
  ship(order: string): Map<string, number> {
    const items = this.#reserved.get(order) ?? new Map<string, number>();
    this.#reserved.delete(order);
    for (const [sku, count] of items) this.#shelf.set(sku, this.onShelf(sku) - count);
    return items;
  }
}
