/** Text that people don't see but models read: invisible characters and HTML comments are a way to smuggle instructions in. */

/**
 * Removes HTML comments, control and format characters (zero width, bidi, tag characters U+E0000..), variation selectors beyond the
 * two that emoji use, and other characters without a shape. Line ends and tabs stay. `removed` counts characters.
 */
export function withoutHidden(text: string): { text: string; removed: number } {
  const visible = text
    .replace(/\r\n?|[\u2028\u2029]/g, "\n")
    .replace(/<!--[\s\S]*?(?:-->|$)/g, "")
    // A joiner between two pictures makes one emoji, e.g. a family; anywhere else it is hidden text.
    .replace(/(?<!\p{Extended_Pictographic}\ufe0f?)\u200d|\u200d(?!\p{Extended_Pictographic})/gu, "")
    .replace(/(?!\u200d|[\ufe0e\ufe0f]|[\n\t])[\p{Cc}\p{Cf}\p{Co}\p{Default_Ignorable_Code_Point}]/gu, "");
  const before = text.replace(/\r\n/g, "\n");
  return { text: visible, removed: [...before].length - [...visible].length };
}

/** Puts text between two fences that do not occur in it, marked as data. */
export function fenced(label: string, text: string): string {
  const longest = (text.match(/`{3,}/g) ?? []).reduce((most, run) => Math.max(most, run.length), 2);
  const fence = "`".repeat(longest + 1);
  return `${fence}${label}\n${text}\n${fence}`;
}
