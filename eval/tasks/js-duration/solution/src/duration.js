const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a text such as "90s", "1h30m" or "2m 5s". Throws RangeError for anything else. */
export function parseDuration(text) {
  if (!/^\s*(\d+(ms|s|m|h)\s*)+$/.test(text)) throw new RangeError(`not a duration: ${text}`);
  const seen = new Set();
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|s|m|h)/g)) {
    if (seen.has(unit)) throw new RangeError(`"${unit}" comes twice: ${text}`);
    seen.add(unit);
    total += Number(count) * units[unit];
  }
  return total;
}
