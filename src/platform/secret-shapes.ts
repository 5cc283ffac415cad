/**
 * What secrets look like, as data. Prefixes and lengths as the products document them (GitLab "Token overview", Atlassian, AWS, GitHub,
 * Slack, npm, OpenAI and others). Every pattern is linear: all repetitions are bounded or of one class.
 */

export interface SecretShape {
  /** What it is, for people: "a GitLab token". */
  readonly kind: string;
  readonly pattern: RegExp;
  /** Whether a match holds up at a closer look. Default: it is no placeholder. */
  readonly holds?: (match: RegExpMatchArray) => boolean;
}

/** Start of a word, also after an escaped line end as in JSON: `\nghp_…`. */
const start = String.raw`(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))`;

function shape(kind: string, source: string, holds?: SecretShape["holds"]): SecretShape {
  return { kind, pattern: new RegExp(source, "g"), ...(holds === undefined ? {} : { holds }) };
}

/** `glpat-xxxxxxxxxxxxxxxxxxxx`: too few different signs for a secret. */
export function isPlaceholder(text: string): boolean {
  return new Set(text.replace(/^[A-Za-z0-9]*[-_:\s]/, "").match(/[A-Za-z0-9]/g)).size <= 5;
}

/** Basic credentials are `name:password` in Base64. */
function isBasic(match: RegExpMatchArray): boolean {
  return /^[\x20-\x7e]+:[\x20-\x7e]+$/.test(Buffer.from(match.groups?.value ?? "", "base64").toString("latin1"));
}

/** Words that stand for a password in documentation, and what a program puts in later. As a whole only: nothing can hide behind them. */
const standIns =
  /^(?:\$\{[^}]*\}|\$[A-Za-z_]\w*|\$\([^)]*\)|\{\{?[^}]*\}?\}|%[A-Za-z_]\w*%|%[sdv]|\*+|\.+|x+|pass|passwd|password|pw|pwd|secret|token|user|username|postgres|root|admin|changeme|example|test|guest)$/i;

/** Secrets wherever they appear. */
export const secretShapes: readonly SecretShape[] = [
  shape(
    "a GitLab token",
    String.raw`(?:glpat|gloas|gldt|glrtr?|glcbt|glptt|glft|glimt|glagent|glwt|glsoat|glffct)-[A-Za-z0-9_-]{20,300}(?:\.[0-9a-z]{2}\.?[0-9a-z]{7,9})?`,
  ),
  shape("a GitLab runner registration token", `${start}GR1348941[A-Za-z0-9_-]{20,100}`),
  shape("a GitLab session", "_gitlab_session=[0-9a-f]{32,128}"),
  shape("an Atlassian token", "A(?:TATT|TCTT|TSTT|TOAT)3[A-Za-z0-9_=-]{30,400}"),
  shape("a Bitbucket app password", `${start}ATBB[A-Za-z0-9]{28,60}`),
  shape(
    "an API key of a model provider",
    String.raw`${start}sk-(?=[A-Za-z0-9_-]{0,200}\d)(?:ant-|proj-|svcacct-|or-v1-)?[A-Za-z0-9_-]{20,300}`,
  ),
  shape(
    "an API key of a model provider",
    String.raw`${start}(?:gsk|xai|pplx|hf|r8)[_-](?=[A-Za-z0-9]{0,100}\d)[A-Za-z0-9]{30,120}`,
  ),
  shape("a webhook secret", "whsec_[A-Za-z0-9+/=]{24,200}"),
  shape(
    "an AWS access key id",
    `${start}(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[0-9A-Z]{16}(?![0-9A-Za-z])`,
    ([text]) => !isPlaceholder(text) && !text.endsWith("EXAMPLE"),
  ),
  shape(
    "an AWS secret key",
    String.raw`(?:[Ss]ecret|SECRET)[_-]?(?:[Aa]ccess|ACCESS)?[_-]?(?:[Kk]ey|KEY)(?:["'\x60\\]{0,2}\s{0,5}(?::=|=>|[:=])\s{0,5}["'\x60\\]{0,2})(?<value>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])`,
    (match) => !isPlaceholder(match.groups?.value ?? ""),
  ),
  shape("a Google API key", `${start}AIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])`),
  shape("a Google OAuth secret", String.raw`${start}(?:GOCSPX-[0-9A-Za-z_-]{28}|ya29\.[0-9A-Za-z_-]{30,300})`),
  shape(
    "an Azure client secret",
    String.raw`(?:(?<![A-Za-z0-9_~.])|(?<=\\[nrt]))[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~.-])`,
  ),
  shape("a Slack token", String.raw`${start}xox[a-z](?:\.xox[a-z])?-(?=[A-Za-z0-9-]{0,200}\d)[A-Za-z0-9-]{16,300}`),
  shape("a Slack token", String.raw`${start}xapp-\d-[A-Z0-9]{5,30}-\d{5,30}-[A-Za-z0-9]{20,120}`),
  shape(
    "a Slack webhook",
    String.raw`hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{30,120}`,
  ),
  shape("a GitHub token", "gh[pousr]_[A-Za-z0-9]{36,255}"),
  shape("a GitHub token", "github_pat_[A-Za-z0-9_]{40,255}"),
  shape("an npm token", `${start}npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])`),
  shape("a PyPI token", "pypi-AgE[A-Za-z0-9_-]{50,400}"),
  shape("a Stripe key", `${start}(?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{16,250}`),
  shape("a SendGrid key", String.raw`${start}SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}`),
  shape("a DigitalOcean token", `${start}do[opr]_v1_[a-f0-9]{64}`),
  shape("a HashiCorp Vault token", String.raw`${start}hv[sbr]\.[A-Za-z0-9_-]{24,300}`),
  shape("an age key", "AGE-SECRET-KEY-1[0-9A-Z]{58}"),
  shape(
    "a JSON web token",
    String.raw`${start}eyJ[A-Za-z0-9_-]{8,2000}\.ey[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,1000}`,
  ),
  shape(
    "a private key",
    [
      String.raw`-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[nrt]){0,20}`,
      // Headers of older formats: `Proc-Type: 4,ENCRYPTED`.
      String.raw`(?:[A-Za-z-]{1,30}: [^\n\\]{1,80}(?:\s|\\[nrt]){1,20}){0,4}`,
      // Also without an end: what is cut off is still most of a key.
      String.raw`[A-Za-z0-9+/=]{16,200}[A-Za-z0-9+/=\s\\]{0,20000}(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?`,
    ].join(""),
  ),
  shape("Basic credentials", String.raw`\b(?:[Bb]asic|BASIC)\s{1,4}(?<value>[A-Za-z0-9+/_-]{12,2000}={0,2})`, isBasic),
  shape(
    "a Bearer token",
    String.raw`\b(?:[Bb]earer|BEARER)\s{1,4}(?=[A-Za-z0-9+/_=.~-]{0,400}\d)[A-Za-z0-9+/_=.~-]{16,4000}`,
  ),
  shape(
    "a password in an address",
    String.raw`(?<=\b[A-Za-z][A-Za-z0-9+.-]{1,20}:\/\/)[^\s/:@"'\x60<>]{0,200}:(?<value>[^\s/@"'\x60<>]{1,300})@`,
    (match) => !standIns.test(match.groups?.value ?? "") && match[0] !== redactedUser,
  ),
];

/** What becomes of user and password in an address. */
export const redactedUser = "[redacted]@";

/**
 * `password = "…"`: often a secret, often a text of a form. Worth a word to a person, not enough to change or to stop anything.
 */
export const suspiciousAssignment: SecretShape = {
  kind: "a value assigned to what is called a secret",
  pattern:
    /(?:passwd|password|passphrase|secret|token|api[_-]?key|private[_-]?key|credential)s?[\w.-]{0,20}["'`]?\s{0,3}(?::=|=>|[:=])\s{0,3}["'`](?<value>[^"'`\s]{8,200})["'`]/gi,
  holds: (match) => {
    const value = match.groups?.value ?? "";
    return (
      !standIns.test(value) && !/\$\{|^(?:https?:|[./#])/.test(value) && /\d/.test(value) && new Set(value).size > 5
    );
  },
};
