/** Finds where in a file a text was probably meant to be, when it is not there as written. */

/** Pairs of neighbouring characters, white space left out. */
function pairs(text: string): Map<string, number> {
  const dense = text.replace(/\s+/g, "").slice(0, 400);
  const found = new Map<string, number>();
  for (let i = 0; i + 1 < dense.length; i += 1) {
    const pair = dense.slice(i, i + 2);
    found.set(pair, (found.get(pair) ?? 0) + 1);
  }
  return found;
}

/** Sørensen–Dice coefficient of two texts, 0 (nothing in common) to 1 (same but for white space). */
export function similarity(a: string, b: string): number {
  if (a.replace(/\s+/g, "") === b.replace(/\s+/g, "")) return 1;
  const left = pairs(a);
  const right = pairs(b);
  const sum = (map: Map<string, number>): number => [...map.values()].reduce((total, count) => total + count, 0);
  const size = sum(left) + sum(right);
  if (size === 0) return 0;
  let common = 0;
  for (const [pair, count] of left) common += Math.min(count, right.get(pair) ?? 0);
  return (2 * common) / size;
}

/** The range of lines most like the wanted ones; `start` is an index. null when nothing is alike. */
export function mostSimilar(
  lines: readonly string[],
  wanted: readonly string[],
): { start: number; length: number; score: number } | null {
  // The longest line says most about where to look; comparing every line with every line would be slow in long files.
  const length = Math.min(wanted.length, lines.length);
  const anchor = wanted.reduce(
    (best, line, index) => (line.trim().length > (wanted[best] ?? "").trim().length ? index : best),
    0,
  );
  const places = lines
    .slice(0, 20_000)
    .map((line, index) => ({ index, score: similarity(line, wanted[anchor] ?? "") }))
    .filter(({ score }) => score > 0.4)
    .sort((a, b) => b.score - a.score)
    .slice(0, 20);
  let best: { start: number; length: number; score: number } | null = null;
  for (const { index } of places) {
    const start = Math.max(0, Math.min(index - anchor, lines.length - length));
    const total = wanted.slice(0, length).reduce((sum, line, i) => sum + similarity(line, lines[start + i] ?? ""), 0);
    const score = total / Math.max(1, length);
    if (best === null || score > best.score) best = { start, length, score };
  }
  return best !== null && best.score > 0.4 ? best : null;
}
