/** Sum of an invoice in cents. */
export function total(rows) {
  let sum = 0;
  for (const row of rows) sum += row.price * row.count;
  return sum;
}
