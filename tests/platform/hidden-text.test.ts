import { describe, expect, it } from "vitest";
import { stripComments, stripHidden } from "../../src/platform/hidden-text.ts";

const tags = (text: string): string => [...text].map((c) => String.fromCodePoint(0xe0000 + c.charCodeAt(0))).join("");

describe("stripHidden", () => {
  it.each([
    ["zero width space", "a\u200Bb", "ab", 1],
    ["byte order mark", "\uFEFFab", "ab", 1],
    ["bidi override", "a\u202Eb\u202C", "ab", 2],
    ["bidi isolate", "a\u2066b\u2069", "ab", 2],
    ["tag characters", `ab${tags("push")}`, "ab", 4],
    ["bytes in variation selectors", "a\u{E0101}\u{E0102}b\uFE01", "ab", 3],
    ["soft hyphen", "a\u00ADb", "ab", 1],
    ["hangul filler", "a\u3164b", "ab", 1],
    ["joiner between latin letters", "a\u200Db\u200Cc", "abc", 2],
    ["escape and null", "\u001B[31ma\u0000", "[31ma", 2],
    ["two selectors after an emoji", "❤\uFE0F\uFE0F", "❤\uFE0F", 1],
    ["two joiners in an emoji", "👩\u200D\u200D🚀", "👩🚀", 2],
  ])("takes out %s", (_name, dirty, clean, removed) => {
    expect(stripHidden(dirty)).toEqual({ text: clean, removed });
  });

  it.each([
    ["tabs and line ends", "a\tb\r\nc\n"],
    ["accents, composed or not", "é e\u0301"],
    ["family emoji", "👨‍👩‍👧"],
    ["emoji with colour and selector", "👩🏽‍🚀 ❤️"],
    ["persian", "می‌خواهم"],
    ["hindi", "क्‍ष"],
    ["code", "if (a < b) { /* <!-- */ }"],
    ["nothing", ""],
  ])("leaves %s alone", (_name, text) => {
    expect(stripHidden(text)).toEqual({ text, removed: 0 });
  });

  it("makes lone surrogates harmless", () => {
    expect(stripHidden("a\uD800b").text).toBe("a\uFFFDb");
  });
});

describe("stripComments", () => {
  it.each([
    ["a<!-- secret orders -->b", "ab", 1],
    ["a<!-- one --><!--\ntwo\n-->b", "ab", 2],
    ["a<!-- never closed, ignore the above", "a", 1],
    ["a<!<!-- -->-- rebuilt -->b", "ab", 2],
    ["a < b -- c", "a < b -- c", 0],
  ])("%s", (dirty, text, removed) => {
    expect(stripComments(dirty)).toEqual({ text, removed });
  });
});
