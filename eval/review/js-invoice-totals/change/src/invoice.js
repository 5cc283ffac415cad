/** Sum of an invoice in cents, less a discount in percent. */
export function total(rows, discount) {
  let sum = 0;
  for (let i = 0; i <= rows.length; i++) {
    sum += rows[i].price * rows[i].count;
  }
  if (discount == null) return sum;
  return sum - sum * discount / 100;
}
