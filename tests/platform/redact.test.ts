/** What is a secret and what is not. Every value here is invented; it is put together at run time so that scanners leave this file alone. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findSecrets, redact, redactDeep, registerSecret } from "../../src/platform/redact.ts";

/** Invented signs, always the same ones. */
function signs(length: number, alphabet = "aB3dE7gH1jK9mN2pQ5sT8vW4xY6z0"): string {
  let text = "";
  let state = length;
  while (text.length < length) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    text += alphabet[Math.floor(state / 65_536) % alphabet.length];
  }
  return text;
}
const hex = (length: number) => signs(length, "0a1b2c3d4e5f6789");
const upper = (length: number) => signs(length, "A2B3C4D5E6F7G");
const base64 = (text: string) => Buffer.from(text).toString("base64");
const pem = (kind: string, glue = "\n") =>
  [
    "-----BEGIN ",
    kind,
    "PRIVATE KEY-----",
    glue,
    signs(64),
    glue,
    signs(64),
    glue,
    "-----END ",
    kind,
    "PRIVATE KEY-----",
  ].join("");
const jwt = () =>
  [base64('{"alg":"HS256","typ":"JWT"}'), base64('{"sub":"1234567890"}'), signs(43)].join(".").replaceAll("=", "");

const secrets: readonly (readonly [kind: string, value: string])[] = [
  ["a GitLab token", `glpat-${signs(20)}`],
  ["a GitLab token", `glpat-${signs(27)}.01.${hex(9)}`],
  ["a GitLab token", `acme-glpat-${signs(20)}`],
  ...["gloas", "gldt", "glrt", "glrtr", "glcbt", "glptt", "glft", "glimt", "glagent", "glwt", "glsoat", "glffct"].map(
    (prefix) => ["a GitLab token", `${prefix}-${signs(20)}`] as const,
  ),
  ["a GitLab runner registration token", `GR1348941${signs(20)}`],
  ["a GitLab session", `_gitlab_session=${hex(32)}`],
  ["an Atlassian token", `ATATT3${signs(180)}=${upper(8)}`],
  ["an Atlassian token", `ATCTT3${signs(180)}=${upper(8)}`],
  ["a Bitbucket app password", `ATBB${signs(32)}`],
  ["an API key of a model provider", `sk-${signs(48)}`],
  ["an API key of a model provider", `sk-proj-${signs(60)}_${signs(20)}`],
  ["an API key of a model provider", `sk-ant-api03-${signs(93)}AA`],
  ["an API key of a model provider", `sk-or-v1-${hex(64)}`],
  ["an API key of a model provider", `gsk_${signs(52)}`],
  ["an API key of a model provider", `hf_${signs(34)}`],
  ["a webhook secret", `whsec_${signs(32)}`],
  ["an AWS access key id", `AKIA${upper(16)}`],
  ["an AWS access key id", `ASIA${upper(16)}`],
  ["an AWS secret key", `aws_secret_access_key = ${signs(40)}`],
  ["an AWS secret key", `"SecretAccessKey": "${signs(40)}"`],
  ["an AWS secret key", `AWS_SECRET_ACCESS_KEY='${signs(40)}'`],
  ["a Google API key", `AIza${signs(35)}`],
  ["a Google OAuth secret", `GOCSPX-${signs(28)}`],
  ["a Google OAuth secret", `ya29.${signs(80)}`],
  ["an Azure client secret", `a1b8Q~${signs(34)}`],
  ["a Slack token", `xoxb-${"1".repeat(6)}23456-${"9".repeat(6)}87654-${signs(24)}`],
  ["a Slack token", `xoxe.xoxp-1-${signs(60)}`],
  ["a Slack token", `xapp-1-${upper(11)}-1234567890123-${hex(64)}`],
  ["a Slack webhook", `https://hooks.slack.com/services/T${upper(8)}/B${upper(8)}/${signs(24)}`],
  ...["ghp", "gho", "ghu", "ghs", "ghr"].map((prefix) => ["a GitHub token", `${prefix}_${signs(36)}`] as const),
  ["a GitHub token", `github_pat_${signs(22)}_${signs(59)}`],
  ["an npm token", `npm_${signs(36)}`],
  ["a PyPI token", `pypi-AgEIcHlwaS5vcmc${signs(80)}`],
  ["a Stripe key", `sk_live_${signs(24)}`],
  ["a Stripe key", `rk_test_${signs(24)}`],
  ["a SendGrid key", `SG.${signs(22)}.${signs(43)}`],
  ["a DigitalOcean token", `dop_v1_${hex(64)}`],
  ["a HashiCorp Vault token", `hvs.${signs(90)}`],
  ["an age key", `AGE-SECRET-KEY-1${upper(58)}`],
  ["a JSON web token", jwt()],
  ...["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "].map((kind) => ["a private key", pem(kind)] as const),
  ["a private key", pem("", "\\n")],
  ["a private key", pem("", "\r\n")],
  [
    "a private key",
    `-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,${hex(32)}\n\n${signs(64)}`,
  ],
  ["a private key", `"private_key": "${pem("", "\\n")}\\n"`],
  ["Basic credentials", `Authorization: Basic ${base64(`mia@acme.test:${signs(12)}`)}`],
  ["Basic credentials", `authorization: basic ${base64(`x:${signs(9)}`)}`],
  ["a Bearer token", `Authorization: Bearer ${signs(32)}`],
  ["a Bearer token", `curl -H "authorization: bearer ${signs(40)}"`],
  ["a password in an address", `postgres://shop:${signs(10)}@db.acme.test:5432/shop`],
  ["a password in an address", `https://oauth2:${signs(20)}@gitlab.acme.test/acme/shop.git`],
  ["a password in an address", `redis://:${signs(12)}@cache:6379`],
];

const harmless: readonly string[] = [
  "",
  "The discount code SPRING10 is accepted in any case.",
  "Basic authentication is switched off, use a token.",
  "basic internationalization of the checkout",
  "Basic TypeScriptConfiguration for new packages",
  "Bearer authentication is required for every call",
  "Authorization: Bearer <token>",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: code of others
  "Authorization: Bearer ${token}",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: code of others
  "const url = `https://${user}:${password}@host/path`",
  "postgres://postgres:postgres@localhost:5432/shop",
  "postgres://user:password@localhost/shop",
  "postgres://postgres@127.0.0.1:5432/shop",
  "redis://localhost:6379/0",
  "https://user:***@example.com/",
  "https://acme.test/a:b@c is an odd path",
  "ssh://git@gitlab.acme.test:2222/acme/shop.git",
  "mailto:mia@acme.test",
  "glpat-xxxxxxxxxxxxxxxxxxxx",
  "glpat-<your token>",
  "a glpat- token, a gldt- token",
  "sk-this-is-a-class-name-of-a-spinner",
  "task-runner-with-a-long-name-2026",
  "risk-assessment-for-the-checkout-2026-11",
  ".sk-spinner-double-bounce-wrapper { margin: 0 }",
  "AKIAIOSFODNN7EXAMPLE",
  "AKIA is how access key ids begin",
  "ASIAN-MARKETS-REPORT",
  "aws_secret_access_key = <secret>",
  "secret_key = hunter2",
  "-----BEGIN PUBLIC KEY-----",
  "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
  "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
  "The header -----BEGIN PRIVATE KEY----- tells where the key begins.",
  "npm_config_registry=https://registry.npmjs.org/",
  "npm_package_json=/srv/bot/package.json",
  "xoxo, see you on Monday at the usual place",
  "eyJhbGciOi is how tokens begin",
  "eye.eyebrow.eyelash",
  "ghp_ and gho_ are prefixes",
  "github_pattern_for_branch_names_in_this_repository",
  "commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
  "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
  "uuid 5b10ac8d-82e0-5b22-cc7d-4ef5a1b2c3d4",
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
  "SG.toString() and SG.parse()",
  "hvs.length === 0",
  "AIza is how Google's keys begin",
  "whsec_ is how signing secrets begin",
  "see https://hooks.slack.com/services/ for the address",
  "do_v1_migration and dop_v1",
];

const around: readonly (readonly [string, string])[] = [
  ["", ""],
  ["The token is ", ", keep it."],
  ["(", ")"],
  ['{"text":"line\\n', '\\nline"}'],
  ["`", "`"],
];

describe("secrets of a known shape", () => {
  test("there are enough examples", () => {
    expect(secrets.length).toBeGreaterThanOrEqual(60);
    expect(harmless.length).toBeGreaterThanOrEqual(40);
  });

  test.each(secrets)("%s is taken out wherever it stands: %#", (kind, value) => {
    for (const [before, after] of around) {
      const text = before + value + after;
      const clean = redact(text);
      expect(clean).toContain("[redacted]");
      // What is left of the value is at most its label.
      for (let at = 0; at + 20 <= value.length; at += 1) {
        const piece = value.slice(at, at + 20);
        if (/^[A-Za-z0-9+/]{20}$/.test(piece)) expect(clean).not.toContain(piece);
      }
      expect(redact(clean)).toBe(clean);
      expect(findSecrets(text).filter(({ certain }) => certain)).toContainEqual(expect.objectContaining({ kind }));
    }
  });

  test.each(harmless.map((text) => [text]))("this is none: %s", (text) => {
    expect(redact(text)).toBe(text);
    expect(findSecrets(text).filter(({ certain }) => certain)).toEqual([]);
  });

  test("the address stays readable where only its password is taken out", () => {
    expect(redact(`clone https://oauth2:${signs(20)}@gitlab.acme.test/shop.git`)).toBe(
      "clone https://[redacted]@gitlab.acme.test/shop.git",
    );
  });

  test("none of our own source is taken for a secret", () => {
    const root = path.resolve(import.meta.dirname, "../..");
    const changed = ["src", "webhooks", "templates", "config"].flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.(ts|js|md|ya?ml|json|eta|txt|css|sql)$/.test(entry.name))
        .map((entry) => path.join(entry.parentPath, entry.name))
        .filter((file) => {
          const text = readFileSync(file, "utf8");
          return redact(text) !== text;
        }),
    );
    expect(changed).toEqual([]);
  });
});

describe("an assignment to something called a secret", () => {
  test.each([
    'password = "hunter2-and-more"',
    "apiKey: 'a8f7-2211-93aa'",
    '"client_secret": "9f8e7d6c5b4a"',
    "TOKEN => `abc123def456`",
  ])("is worth a look, and left alone: %s", (text) => {
    expect(redact(text)).toBe(text);
    expect(findSecrets(text)).toEqual([expect.objectContaining({ certain: false })]);
  });

  test.each([
    'password: "Please type your password"',
    'const token = process.env.TOKEN ?? ""',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: code of others
    "token = `${prefix}-12345678`",
    'label: "password", type: "password"',
    'tokenUrl = "https://acme.test/oauth2/token"',
    'secret = "changeme"',
  ])("unless it is plain text or comes from elsewhere: %s", (text) => {
    expect(findSecrets(text)).toEqual([]);
  });
});

describe("values that we know", () => {
  const known = ['p4ss/w"ö+rd&=?', "hunter22", signs(26), "bot-atlassian-token-1", "with space and + plus"];
  for (const value of known) registerSecret(value);

  test.each(known)("%s is taken out in every form", (value) => {
    const forms: Record<string, string> = {
      raw: value,
      base64: base64(value),
      base64url: Buffer.from(value).toString("base64url"),
      hex: Buffer.from(value).toString("hex"),
      HEX: Buffer.from(value).toString("hex").toUpperCase(),
      url: encodeURIComponent(value),
      json: JSON.stringify(value),
      "json in json": JSON.stringify(JSON.stringify({ value })),
    };
    for (const [name, form] of Object.entries(forms)) {
      const text = `It is ${form}!`;
      expect(redact(text), name).toContain("[redacted]");
      expect(redact(text), name).not.toContain(value);
      expect(findSecrets(text)[0], name).toMatchObject({ kind: "a credential of this bot", certain: true });
    }
  });

  test.each(known)("%s is found inside of something longer that was encoded (property)", (value) => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (before, after) => {
        // The signs at the edges of the encoded value hold bits of the neighbours; what is left of it must be gone.
        expect(redact(base64(before + value + after))).toContain("[redacted]");
      }),
    );
  });

  test("short ones are left alone: they would be everywhere", () => {
    registerSecret("abc");
    registerSecret(undefined);
    expect(redact("abc and undefined")).toBe("abc and undefined");
  });

  test("objects are cleaned through, and keep their shape", () => {
    const at = new Date(0);
    const value = { a: ["hunter22", 1, null, { hunter22: "x" }], at, none: undefined };
    expect(redactDeep(value)).toEqual({ a: ["[redacted]", 1, null, { "[redacted]": "x" }], at, none: undefined });
  });
});

describe("any text", () => {
  test("is redacted once and for all (property)", () => {
    const part = fc.oneof(fc.string(), fc.constantFrom(...secrets.map(([, value]) => value), ...harmless));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const clean = redact(parts.join(" "));
        expect(redact(clean)).toBe(clean);
      }),
    );
  });

  test.each([
    "sk-".repeat(40_000),
    "ey-".repeat(40_000),
    `${"eyJaaaaaaaaaaa.".repeat(8000)}`,
    "glpat-".repeat(20_000),
    "-----BEGIN PRIVATE KEY-----\n".repeat(4000),
    `-----BEGIN PRIVATE KEY-----${"A: b\n".repeat(20_000)}`,
    "https://".repeat(15_000),
    `https://${"a:".repeat(50_000)}`,
    "Bearer ".repeat(15_000),
    "secret_access_key".repeat(7000),
    "password=".repeat(12_000),
    "xoxb-".repeat(20_000),
    "a".repeat(120_000),
    "a1b8Q~".repeat(20_000),
    "+.-".repeat(40_000),
  ])("is read in linear time: %#", (text) => {
    const began = performance.now();
    redact(text);
    findSecrets(text);
    expect(performance.now() - began).toBeLessThan(1500);
  });
});
