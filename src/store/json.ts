/** Values on their way into jsonb. */

/**
 * JSON text that Postgres takes: its jsonb refuses NUL characters and lone surrogates, which outside text may hold;
 * both become U+FFFD.
 */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "string" ? item.toWellFormed().replaceAll("\0", "\uFFFD") : item,
  );
}

/** Text that a Postgres text column takes. */
export function toText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}
