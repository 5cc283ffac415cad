/** Rows of a CSV text, each a list of fields. */
export function parseCsv(text) {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => line.split(","));
}
