/** Test files made to keep whoever reads them busy: reading them takes time in proportion to their size. */
import { describe, expect, it } from "vitest";
import { findSabotage } from "../../../src/steps/change/sabotage.ts";
import { changes } from "./changes.ts";

/** Patterns that wait for each other take minutes for as much; honest ones a tenth of a second. */
const mostMs = 3000;

const size = 50_000;
const fill = (piece: string): string => piece.repeat(Math.ceil(size / piece.length));

const pieces: readonly (readonly [name: string, text: string])[] = [
  ["open brackets", fill("(")],
  ["closing brackets", fill(")\n")],
  ["open calls", fill("test(")],
  ["open calls on lines", fill("test(\n")],
  ["catches", fill("catch(")],
  ["catches on lines", fill("catch (\n")],
  ["a desert", `expect(${" ".repeat(size)}`],
  ["deserts", fill(`expect(${" ".repeat(500)}\n`)],
  ["empty lines", `test("a", () => {${"\n".repeat(size)}`],
  ["quotes", fill("\"'`")],
  ["open texts", fill("'a\n")],
  ["slashes", fill("= / ")],
  ["exits", fill("exit 0\n")],
  ["decorators", fill("@pytest.mark.skip\n")],
  ["annotations", fill("@Test [a] ")],
  ["annotations on lines", fill("@Test\n@A\n")],
  ["attributes", fill("#[test]\n")],
  ["definitions", fill("def test_a(\n")],
  ["closed lists before definitions", fill("foo([\n])\ndef test_a():\n    assert a == a\n")],
  ["main", fill("main(")],
  ["escapes", fill("\\")],
  ["asserts", fill("assert a.b.c.equal(")],
  ["one word", "a".repeat(size)],
];

describe.each(["test/a.test.js", "tests/test_a.py", "tests/a.rs", "ATest.java"])("%s", (path) => {
  it("is read in time", () => {
    // Without its lines: only the contents matter here.
    const [plain] = changes({ [path]: ["a", "b"] });
    for (const [name, text] of pieces) {
      const started = performance.now();
      findSabotage([{ ...plain!, before: text, after: `x${text}` }]);
      expect(performance.now() - started, name).toBeLessThan(mostMs);
    }
  });
});

it("thousands of removed and new tests are compared by name only", () => {
  const file = (prefix: string): string =>
    Array.from({ length: 3000 }, (_, i) => `test("${prefix}${i}", () => {\n  assert.equal(${i}, f(${i}));\n});\n`).join(
      "",
    );
  const [plain] = changes({ "test/a.test.js": ["a", "b"] });
  const started = performance.now();
  const flags = findSabotage([{ ...plain!, before: file("a"), after: file("b") }]);
  expect(flags).toHaveLength(3000);
  expect(performance.now() - started).toBeLessThan(mostMs);
});
