/** Who is let in: the table of proofs, good and bad, for each sender. */
import { describe, expect, test } from "vitest";
import { createConfluenceCheck } from "../../webhooks/confluence/verify.ts";
import { createGitLabCheck } from "../../webhooks/gitlab/verify.ts";
import { createJiraCheck } from "../../webhooks/jira/verify.ts";
import type { Headers } from "../../webhooks/receiver.ts";
import { gitlabToken, hubSignature, jiraSecret, signingToken, standardSignature } from "./requests.ts";

const body = Buffer.from('{"webhookEvent":"jira:issue_updated","text":"Brücke ✓"}');
const good = hubSignature(jiraSecret, body);
const hex = good.slice("sha256=".length);

const lets = "lets it in";
type Case = readonly [name: string, headers: Headers, outcome: string];

describe("Jira", () => {
  const check = createJiraCheck([jiraSecret, "the-next-secret"]);
  const cases: readonly Case[] = [
    ["the right signature", { "x-hub-signature": good }, lets],
    ["the second secret, while they rotate", { "x-hub-signature": hubSignature("the-next-secret", body) }, lets],
    ["hex in capitals: the same digest", { "x-hub-signature": `sha256=${hex.toUpperCase()}` }, lets],
    ["no header", {}, "X-Hub-Signature is missing"],
    ["the header of others", { "x-hub-signature-256": good }, "X-Hub-Signature is missing"],
    ["an empty header", { "x-hub-signature": "" }, "X-Hub-Signature is not method=hex"],
    ["hex without a method", { "x-hub-signature": hex }, "X-Hub-Signature is not method=hex"],
    ["another method", { "x-hub-signature": `sha1=${hex}` }, "X-Hub-Signature uses a method other than sha256"],
    ["no method", { "x-hub-signature": `=${hex}` }, "X-Hub-Signature uses a method other than sha256"],
    [
      "a method that objects inherit",
      { "x-hub-signature": `constructor=${hex}` },
      "X-Hub-Signature uses a method other than sha256",
    ],
    ["a blank before it", { "x-hub-signature": ` ${good}` }, "X-Hub-Signature uses a method other than sha256"],
    ["a method without hex", { "x-hub-signature": "sha256=" }, "X-Hub-Signature is not 64 hex digits"],
    ["cut short", { "x-hub-signature": good.slice(0, -2) }, "X-Hub-Signature is not 64 hex digits"],
    ["too long", { "x-hub-signature": `${good}00` }, "X-Hub-Signature is not 64 hex digits"],
    ["not hex", { "x-hub-signature": `sha256=${"z".repeat(64)}` }, "X-Hub-Signature is not 64 hex digits"],
    ["sent twice", { "x-hub-signature": `${good}, ${good}` }, "X-Hub-Signature is not 64 hex digits"],
    ["the wrong secret", { "x-hub-signature": hubSignature("guess", body) }, "X-Hub-Signature does not match the body"],
    ["no secret", { "x-hub-signature": hubSignature("", body) }, "X-Hub-Signature does not match the body"],
    ["another body", { "x-hub-signature": hubSignature(jiraSecret, "{}") }, "X-Hub-Signature does not match the body"],
    ["zeros", { "x-hub-signature": `sha256=${"0".repeat(64)}` }, "X-Hub-Signature does not match the body"],
  ];
  test.each(cases)("%s", (_name, headers, outcome) => {
    const result = check(headers, body);
    expect(result.ok ? lets : result.reason).toBe(outcome);
  });

  test("one bit of the body", () => {
    const tampered = Buffer.from(body);
    tampered[20]! ^= 1;
    expect(check({ "x-hub-signature": good }, tampered).ok).toBe(false);
  });

  test("an empty body, signed", () => {
    expect(check({ "x-hub-signature": hubSignature(jiraSecret, "") }, Buffer.alloc(0)).ok).toBe(true);
  });

  // From Atlassian's page on securing webhooks.
  test("the vector that Atlassian gives", () => {
    const signature = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9";
    const official = createJiraCheck(["It's a Secret to Everybody"]);
    expect(official({ "x-hub-signature": signature }, Buffer.from("Hello World!"))).toEqual({ ok: true });
    expect(official({ "x-hub-signature": signature }, Buffer.from("Hello World?")).ok).toBe(false);
  });
});

describe("GitLab with signing tokens", () => {
  const now = 1_790_000_000;
  const id = "5b0f2f4e-7a1d-4b57-9d64-5c1a3a9c7e10";
  const nextToken = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
  const check = createGitLabCheck(
    { secretTokens: [gitlabToken], signingTokens: [signingToken, nextToken] },
    () => now * 1000,
  );
  const sign = (token = signingToken, seconds: number | string = now, name = id): string =>
    standardSignature(token, name, seconds, body);
  const signed = (signature: string, seconds: number | string = now): Headers => ({
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": signature,
  });
  const mismatch = "webhook-signature does not match the body";
  const garbage = "webhook-signature holds no v1 signature";
  const old = "webhook-timestamp is more than 5 minutes old";
  const early = "webhook-timestamp is more than 5 minutes ahead";
  const noNumber = "webhook-timestamp is not a number of seconds";
  const incomplete = "webhook-id or webhook-timestamp is missing";

  const cases: readonly Case[] = [
    ["the right signature", signed(sign()), lets],
    ["the second token, while they rotate", signed(sign(nextToken)), lets],
    ["several signatures, the last one right", signed(`v1,${"A".repeat(43)}= ${sign()}`), lets],
    ["several versions", signed(`v1a,${"A".repeat(86)}== ${sign()}`), lets],
    ["exactly 5 minutes old", signed(sign(signingToken, now - 300), now - 300), lets],
    ["exactly 5 minutes ahead", signed(sign(signingToken, now + 300), now + 300), lets],
    ["older than that", signed(sign(signingToken, now - 301), now - 301), old],
    ["further ahead", signed(sign(signingToken, now + 301), now + 301), early],
    ["a new timestamp on an old signature", signed(sign(signingToken, now - 9000)), mismatch],
    ["milliseconds", signed(sign(signingToken, now * 1000), now * 1000), noNumber],
    ["a negative timestamp", signed(sign(signingToken, -1), -1), noNumber],
    ["a fraction", signed(sign(signingToken, `${now}.5`), `${now}.5`), noNumber],
    ["an exponent", signed(sign(signingToken, "179e7"), "179e7"), noNumber],
    ["no timestamp", { "webhook-id": id, "webhook-signature": sign() }, incomplete],
    ["no id", { "webhook-timestamp": String(now), "webhook-signature": sign() }, incomplete],
    ["another id", { ...signed(sign()), "webhook-id": "another" }, mismatch],
    ["a wrong token", signed(sign(`whsec_${Buffer.alloc(32, 1).toString("base64")}`)), mismatch],
    [
      "the prefix taken for key",
      signed(standardSignature(`whsec_${Buffer.from(signingToken).toString("base64")}`, id, now, body)),
      mismatch,
    ],
    ["an empty header", signed(""), garbage],
    ["garbage for base64", signed("v1,***"), garbage],
    ["cut short", signed(sign().slice(0, -4)), garbage],
    ["no version", signed(sign().slice("v1,".length)), garbage],
    ["another version of the same", signed(sign().replace("v1,", "v2,")), garbage],
    ["commas for spaces", signed(`${sign()},${sign()}`), garbage],
    [
      "a bad signature beside the right secret token",
      { ...signed(sign(signingToken, now, "x")), "x-gitlab-token": gitlabToken },
      mismatch,
    ],
    ["an empty signature beside the right secret token", { ...signed(""), "x-gitlab-token": gitlabToken }, garbage],
    ["no signature, the right secret token", { "x-gitlab-token": gitlabToken }, lets],
  ];
  test.each(cases)("%s", (_name, headers, outcome) => {
    const result = check(headers, body);
    expect(result.ok ? lets : result.reason).toBe(outcome);
  });

  test("one bit of the body", () => {
    const tampered = Buffer.from(body);
    tampered[3]! ^= 1;
    expect(check(signed(sign()), tampered)).toEqual({ ok: false, reason: mismatch });
  });

  // Computed with OpenSSL: printf '%s' 'tide-1.1790000000.{"object_kind":"note"}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:303132… -binary | base64
  test("a vector that other software made", () => {
    const headers = {
      "webhook-id": "tide-1",
      "webhook-timestamp": "1790000000",
      "webhook-signature": "v1,JO8G/TEeb/i7/EQ0q58HtFBmgEIMT4impX8CX5eCBBw=",
    };
    expect(check(headers, Buffer.from('{"object_kind":"note"}'))).toEqual({ ok: true });
  });

  test("without a secret token, a request must be signed", () => {
    const strict = createGitLabCheck({ secretTokens: [], signingTokens: [signingToken] }, () => now * 1000);
    expect(strict({ "x-gitlab-token": gitlabToken }, body)).toEqual({
      ok: false,
      reason: "webhook-signature is missing",
    });
    expect(strict({ "x-gitlab-token": "" }, body).ok).toBe(false);
    expect(strict(signed(sign()), body)).toEqual({ ok: true });
  });
});

describe("GitLab with secret tokens", () => {
  const check = createGitLabCheck({ secretTokens: [gitlabToken, "ebb-ünd-flow"], signingTokens: [] });
  const unknown = "X-Gitlab-Token is not one of ours";
  const cases: readonly Case[] = [
    ["the right token", { "x-gitlab-token": gitlabToken }, lets],
    [
      "the second token, bytes as node reads them",
      { "x-gitlab-token": Buffer.from("ebb-ünd-flow").toString("latin1") },
      lets,
    ],
    ["no header", {}, "neither webhook-signature nor X-Gitlab-Token is there"],
    ["an empty header", { "x-gitlab-token": "" }, unknown],
    ["a wrong token", { "x-gitlab-token": "ebb" }, unknown],
    ["a longer one", { "x-gitlab-token": `${gitlabToken}!` }, unknown],
    ["a shorter one", { "x-gitlab-token": gitlabToken.slice(0, -1) }, unknown],
    ["both of them", { "x-gitlab-token": `${gitlabToken}, ${gitlabToken}` }, unknown],
    [
      "a signature nobody can check",
      { "webhook-signature": "v1,x", "x-gitlab-token": gitlabToken },
      "webhook-signature is there, but GITLAB_SIGNING_TOKEN is not set",
    ],
  ];
  test.each(cases)("%s", (_name, headers, outcome) => {
    const result = check(headers, body);
    expect(result.ok ? lets : result.reason).toBe(outcome);
  });
});

describe("a door without a lock is not built", () => {
  test.each([
    ["no Jira secret", () => createJiraCheck([]), "JIRA_WEBHOOK_SECRET is not set"],
    ["an empty Jira secret", () => createJiraCheck([""]), "JIRA_WEBHOOK_SECRET holds an empty secret"],
    [
      "a blank one beside a good one",
      () => createJiraCheck([jiraSecret, " \n"]),
      "JIRA_WEBHOOK_SECRET holds an empty secret",
    ],
    ["no Confluence secret", () => createConfluenceCheck([]), "CONFLUENCE_WEBHOOK_SECRET is not set"],
    [
      "nothing for GitLab",
      () => createGitLabCheck({ secretTokens: [], signingTokens: [] }),
      "GITLAB_WEBHOOK_SECRET or GITLAB_SIGNING_TOKEN is not set",
    ],
    [
      "an empty token for GitLab",
      () => createGitLabCheck({ secretTokens: [""], signingTokens: [signingToken] }),
      "holds an empty secret",
    ],
    [
      "a signing token without its prefix",
      () => createGitLabCheck({ secretTokens: [], signingTokens: [signingToken.slice(6)] }),
      "GITLAB_SIGNING_TOKEN is not whsec_",
    ],
    [
      "a signing token cut while pasting",
      () => createGitLabCheck({ secretTokens: [], signingTokens: [signingToken.slice(0, 20)] }),
      "GITLAB_SIGNING_TOKEN is not whsec_",
    ],
  ])("%s", (_name, build, message) => {
    expect(build).toThrow(message);
  });

  test("the message does not tell the secret", () => {
    const build = () => createGitLabCheck({ secretTokens: [], signingTokens: ["whsec_c2VjcmV0"] });
    expect(build).not.toThrow("c2VjcmV0");
  });
});
