const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a text such as "90s" or "5m". */
export function parseDuration(text) {
  const match = /^(\d+)(ms|s|m|h)/.exec(text);
  if (match === null) throw new RangeError(`not a duration: ${text}`);
  return Number(match[1]) * units[match[2]];
}
