/**
 * Text that a person does not see but a model reads: invisible code points and HTML comments.
 * Used on everything that goes into a prompt and on everything that leaves.
 */

/**
 * What is invisible: Unicode's default ignorables (zero width, bidi controls, tags, variation selectors, fillers), interlinear
 * annotations, and control characters other than tab and line ends. Source: Unicode Standard Annex 44, Default_Ignorable_Code_Point.
 */
const hidden = /[\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB]|(?![\t\n\r])\p{Cc}/gu;

/** Scripts that cannot be written without joiners. */
const joining =
  "[" +
  [
    "Arabic",
    "Syriac",
    "Devanagari",
    "Bengali",
    "Gurmukhi",
    "Gujarati",
    "Oriya",
    "Tamil",
    "Telugu",
    "Kannada",
    "Malayalam",
    "Sinhala",
  ]
    .map((script) => `\\p{Script=${script}}`)
    .join("") +
  "]";

/** Where an invisible code point is needed: one joiner between two emoji or letters of those scripts, one selector after an emoji. */
const needed = new RegExp(
  [
    "(?<=[\\p{Extended_Pictographic}\\u{1F3FB}-\\u{1F3FF}\\uFE0F])\\u200D(?=\\p{Extended_Pictographic})",
    `(?<=${joining}\\p{Mn}?)[\\u200C\\u200D](?=${joining})`,
    "(?<=\\p{Emoji})[\\uFE0E\\uFE0F]",
  ].join("|"),
  "gu",
);

export interface Stripped {
  readonly text: string;
  /** Number of code points (or comments) taken out. */
  readonly removed: number;
}

/** The text without invisible code points; lone surrogates become U+FFFD. Visible text, tabs and line ends stay as they are. */
export function stripHidden(text: string): Stripped {
  const keep = new Set<number>();
  for (const match of text.matchAll(needed)) keep.add(match.index);
  let removed = 0;
  const clean = text.toWellFormed().replace(hidden, (character, offset: number) => {
    if (keep.has(offset)) return character;
    removed += 1;
    return "";
  });
  return { text: clean, removed };
}

/**
 * Markdown without HTML comments, which no reader of a ticket or a merge request sees. An unclosed one hides all that follows it,
 * so it goes too. Not for code: there a comment is content.
 */
export function stripComments(markdown: string): Stripped {
  let text = markdown;
  let removed = 0;
  // Again until nothing is found: `<!<!-- -->-- x -->` would leave a new comment behind.
  for (let before = -1; before !== removed; ) {
    before = removed;
    text = text.replace(/<!--[\s\S]*?(?:-->|$)/g, () => {
      removed += 1;
      return "";
    });
  }
  return { text, removed };
}
