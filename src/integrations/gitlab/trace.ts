/** A job's log as people see it. */

/** `section_start:1700000000:name[collapsed=true]\r\e[0K` (docs.gitlab.com/ci/jobs/job_logs, "Custom collapsible sections"). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const sectionMark = /section_(?:start|end):\d+:[^\r\n\u001b]*(?:\r|\u001b\[0K)*/g;

/** Escape sequences of ECMA-48: CSI, OSC (titles, links) and the two-character ones. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;

/** With timestamps on (17.1), the runner puts `2026-01-05T09:00:00.000000Z 00O ` before each line; a `+` instead of the blank goes on with the last one. */
const stamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z [0-9a-f]{2}([OE])([ +])/;

function withoutStamps(lines: readonly string[]): string[] {
  const joined: string[] = [];
  for (const line of lines) {
    const found = stamp.exec(line);
    const rest = found === null ? line : line.slice(found[0].length);
    if (found?.[2] === "+" && joined.length > 0) joined[joined.length - 1] += rest;
    else joined.push(rest);
  }
  return joined;
}

/** Text without colours, marks of sections, time stamps and overwritten progress lines. */
export function cleanTrace(raw: string): string {
  const lines = withoutStamps(raw.replace(/\r\n/g, "\n").split("\n"));
  return (
    lines
      .map((line) => line.replace(sectionMark, "").replace(escapes, ""))
      .map((line) => line.replace(/\r+$/, "").replace(/^.*\r/s, ""))
      .join("\n")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: nothing of them is left to see
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "")
      .trim()
  );
}

/** The last whole lines that fit into so many bytes of UTF-8; of a single longer line its end. */
export function tailOf(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length <= maxBytes) return text;
  // A character that was cut in two is left out.
  const end = bytes
    .subarray(bytes.length - maxBytes)
    .toString("utf8")
    .replace(/^\ufffd+/, "");
  const newline = end.indexOf("\n");
  return newline < 0 || newline === end.length - 1 ? end : end.slice(newline + 1);
}
