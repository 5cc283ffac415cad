/** Secrets must not leave: exact values that we know, and shapes that are secrets wherever they appear. */

/** Shapes of credentials of the systems we talk to. Sources: GitLab "token overview", Atlassian and OpenAI key formats. */
const shapes: readonly RegExp[] = [
  /\b(?:glpat|gldt|glrt|glptt|glft|glsoat|glcbt)-[A-Za-z0-9_-]{16,}/g,
  /\bATATT3[A-Za-z0-9_=-]{30,}/g,
  /\bsk-[A-Za-z0-9_-]{20,}/g,
  /\bwhsec_[A-Za-z0-9+/=]{24,}/g,
  /\bAKIA[0-9A-Z]{16}\b/g,
  /\bey[A-Za-z0-9_-]{10,}\.ey[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g,
  /\b(?:Basic|Bearer) [A-Za-z0-9+/_=.-]{16,}/g,
];

const registered = new Set<string>();

/** Makes a value known as secret, with the encodings in which it could leak. Values under 6 characters are too common to hunt. */
export function registerSecret(value: string | undefined): void {
  if (value === undefined || value.length < 6) return;
  const bytes = Buffer.from(value);
  for (const form of [
    value,
    bytes.toString("base64"),
    bytes.toString("base64url"),
    bytes.toString("hex"),
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
  ]) {
    registered.add(form);
  }
}

/** The text with every known secret replaced by `[redacted]`. */
export function redact(text: string): string {
  let clean = text;
  for (const secret of registered) {
    if (clean.includes(secret)) clean = clean.replaceAll(secret, "[redacted]");
  }
  for (const shape of shapes) clean = clean.replace(shape, "[redacted]");
  return clean;
}
