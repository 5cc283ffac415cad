/** Expressions as administrators write them for push rules. */
import { describe, expect, it } from "vitest";
import { matchesRe2 } from "../../src/platform/re2.ts";

const message = "SHOP-1: Accept codes in any case\n\nBecause.\n\nTicketsmith-Run: r1\n";

describe.each([
  ["^SHOP-\\d+: ", message, true],
  ["^(feature|bugfix)\\/.+", "ticketsmith/SHOP-1", false],
  ["(?i)shop-1", message, true],
  ["(?i)^BECAUSE\\.$", message, true],
  ["JIRA\\-\\d+", message, false],
  ["SHOP\\-\\d+\\:", message, true],
  ["[\\w\\-]+\\@acme\\.test$", "bot@acme.test", true],
  ["[\\_\\-x]", "a_b", true],
  ["^.{1,72}$", message, true],
  ["\\p{Lu}HOP", message, true],
  // No telling.
  ["\\ASHOP", message, null],
  ["[[:alpha:]]+", message, null],
  ["(?P<key>SHOP-\\d+)", message, null],
  ["\\QSHOP\\E", message, null],
  ["(unclosed", message, null],
  ["(\\w+\\s?)+!", `${"a".repeat(60)} b`, null],
] as const)("%s", (pattern, text, expected) => {
  it(`on ${JSON.stringify(text.slice(0, 30))} is ${expected}`, () => {
    expect(matchesRe2(pattern, text, { multiline: true })).toBe(expected);
  });
});

it("knows lines only when it is told so", () => {
  expect(matchesRe2("^Because", message)).toBe(false);
  expect(matchesRe2("^Because", message, { multiline: true })).toBe(true);
});
