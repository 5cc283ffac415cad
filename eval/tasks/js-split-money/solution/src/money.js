/**
 * Splits an amount into `count` parts that add up to it and differ by at most one cent, the larger ones first.
 * Throws RangeError when either is not a whole number, or the count is below 1.
 */
export function splitEvenly(cents, count) {
  if (!Number.isInteger(cents)) throw new RangeError(`not a whole number of cents: ${cents}`);
  if (!Number.isInteger(count) || count < 1) throw new RangeError(`cannot split among ${count}`);
  const share = Math.floor(cents / count);
  const rest = cents - share * count;
  return Array.from({ length: count }, (_, i) => share + (i < rest ? 1 : 0));
}
