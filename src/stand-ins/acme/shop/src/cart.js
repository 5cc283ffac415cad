import { discountFor } from "./discounts.js";

/** Total of a cart in cents. Items: { price (cents), quantity }. */
export function total(items, code) {
  const sum = items.reduce((cents, item) => cents + item.price * item.quantity, 0);
  if (code === undefined) return sum;
  return Math.round((sum * (100 - discountFor(code))) / 100);
}
