export class OutOfStock extends Error {
  override readonly name = "OutOfStock";
}

/** What lies on the shelves, by sku. */
export class Stock {
  readonly #shelf = new Map<string, number>();

  /** Puts items on the shelf. */
  receive(sku: string, count: number): void {
    this.#shelf.set(sku, this.onShelf(sku) + count);
  }

  onShelf(sku: string): number {
    return this.#shelf.get(sku) ?? 0;
  }
}
