/** Percent off by discount code. */
const codes = new Map([
  ["SPRING10", 10],
  ["VIP25", 25],
]);

export class UnknownCode extends Error {
  constructor(code) {
    super(`There is no discount code "${code}"`);
    this.code = code;
  }
}

/** Percent off for a code. Throws UnknownCode. */
export function discountFor(code) {
  const percent = codes.get(code);
  if (percent === undefined) throw new UnknownCode(code);
  return percent;
}
