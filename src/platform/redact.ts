/** Secrets must not leave: exact values that we know, and shapes that are secrets wherever they appear. */
import { isPlaceholder, redactedUser, type SecretShape, secretShapes, suspiciousAssignment } from "./secret-shapes.ts";

/** All forms of all known secrets, longest first: one may be the beginning of another. */
let registered: readonly string[] = [];

/** Shortest piece of an encoded value that is hunted for; shorter ones turn up by chance. */
const shortestForm = 8;

/**
 * The part of a value's Base64 that is the same wherever the value stands in what was encoded: three alignments, without the signs at
 * the edges, which also hold bits of the neighbours.
 */
function base64Cores(bytes: Buffer): string[] {
  return [0, 1, 2].map((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes]);
    const from = Math.ceil((shift * 8) / 6);
    const to = Math.floor((whole.length * 8) / 6);
    return whole.toString("base64").slice(from, to);
  });
}

/** Makes a value known as secret, with the encodings in which it could leak. Values under 6 characters are too common to hunt. */
export function registerSecret(value: string | undefined): void {
  if (value === undefined || value.length < 6) return;
  const bytes = Buffer.from(value);
  const cores = base64Cores(bytes);
  const percent = encodeURIComponent(value);
  const json = JSON.stringify(value).slice(1, -1);
  const forms = [
    ...cores,
    ...cores.map((core) => core.replaceAll("+", "-").replaceAll("/", "_")),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    percent,
    percent.replace(/%[0-9A-F]{2}/g, (sign) => sign.toLowerCase()),
    json,
    JSON.stringify(json).slice(1, -1),
  ];
  const all = new Set([...registered, value, ...forms.filter((one) => one.length >= shortestForm)]);
  registered = [...all].sort((a, b) => b.length - a.length);
}

function holds(shape: SecretShape, match: RegExpMatchArray): boolean {
  return shape.holds === undefined ? !isPlaceholder(match[0]) : shape.holds(match);
}

function* matchesOf(shape: SecretShape, text: string): Generator<RegExpMatchArray & { index: number }> {
  for (const match of text.matchAll(shape.pattern)) if (holds(shape, match)) yield match;
}

/** The text with every known secret replaced by `[redacted]`. Redacting again changes nothing. */
export function redact(text: string): string {
  let clean = text;
  for (const secret of registered) {
    if (clean.includes(secret)) clean = clean.replaceAll(secret, "[redacted]");
  }
  for (const shape of secretShapes) {
    let from = 0;
    let out = "";
    for (const match of matchesOf(shape, clean)) {
      out += clean.slice(from, match.index) + (match[0].endsWith("@") ? redactedUser : "[redacted]");
      from = match.index + match[0].length;
    }
    if (from > 0) clean = out + clean.slice(from);
  }
  return clean;
}

/**
 * A copy of a JSON-like value with all texts redacted, keys too. Text by text: over printed JSON a pattern could eat its way across
 * fields. Dates stay as they are.
 */
export function redactDeep<T>(value: T): T {
  return cleanAny(value) as T;
}

function cleanAny(value: unknown): unknown {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map(cleanAny);
  if (value === null || typeof value !== "object" || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [redact(key), cleanAny(item)]));
}

export interface SecretFinding {
  /** What it is, for people, without any part of it. */
  readonly kind: string;
  /** Where in the text it begins, and how many signs it has. */
  readonly index: number;
  readonly length: number;
  /** Whether it is a value that was registered: a credential of this bot. */
  readonly own: boolean;
  /** False for what is only worth a look. */
  readonly certain: boolean;
}

/** Every secret in a text, in order, and what merely looks like one. Never holds any part of a value. */
export function findSecrets(text: string): SecretFinding[] {
  const known = registered.flatMap((secret): SecretFinding[] => {
    const index = text.indexOf(secret);
    const { length } = secret;
    return index < 0 ? [] : [{ kind: "a credential of this bot", index, length, own: true, certain: true }];
  });
  const shaped = (shape: SecretShape, certain: boolean): SecretFinding[] =>
    [...matchesOf(shape, text)].map(({ index, 0: { length } }) => ({
      kind: shape.kind,
      index,
      length,
      own: false,
      certain,
    }));
  const found = [
    ...known,
    ...secretShapes.flatMap((shape) => shaped(shape, true)),
    ...shaped(suspiciousAssignment, false),
  ];
  return found.sort((a, b) => a.index - b.index);
}
