/** Patches that cheat, all of which are caught, and honest ones, none of which is. */
import { describe, expect, it } from "vitest";
import { findSabotage } from "../../../src/steps/change/sabotage.ts";
import { type Contents, changes } from "./changes.ts";

const js = `import assert from "node:assert/strict";
import { test } from "node:test";
import { discountFor, UnknownCode } from "../src/discounts.js";

test("a known code gives its percentage", () => {
  assert.equal(discountFor("SPRING10"), 10);
  assert.equal(discountFor("VIP25"), 25);
});

test("an unknown code is refused", () => {
  // assert.ok(true)
  assert.throws(() => discountFor("WINTER99"), UnknownCode);
});
`;
const vitest = `import { describe, expect, it } from "vitest";
import { total } from "./cart.ts";

describe("total", () => {
  it("adds up", () => {
    expect(total([{ price: 250, quantity: 2 }, { price: 99, quantity: 1 }])).toBe(599);
    expect(total([])).toEqual(0);
  });
  it.each([
    ["VIP25", 750],
    ["SPRING10", 900],
    ["NONE", 1000],
  ])("applies %s", (code, expected) => {
    expect(total([{ price: 1000, quantity: 1 }], code)).toBe(expected);
  });
  it("matches what was recorded", () => {
    expect(total([{ price: 1, quantity: 3 }])).toMatchSnapshot();
  });
});
`;
const py = `import unittest
import pytest
from shop import total, UnknownCode


@pytest.mark.parametrize("code, expected", [
    ("VIP25", 750),
    ("SPRING10", 900),
])
def test_discount(code, expected):
    assert total(1000, code) == expected


def test_unknown_code():
    with pytest.raises(UnknownCode):
        total(1000, "WINTER99")


class CartTest(unittest.TestCase):
    def test_empty(self):
        self.assertEqual(total(0), 0)
        self.assertEqual(total(0, "VIP25"), 0)
`;
const go = `package shop

import "testing"

func TestTotal(t *testing.T) {
	tests := []struct {
		price, want int
	}{
		{100, 90},
		{200, 180},
	}
	for _, tt := range tests {
		if got := Total(tt.price); got != tt.want {
			t.Errorf("Total(%d) = %d, want %d", tt.price, got, tt.want)
		}
	}
}

func TestEmpty(t *testing.T) {
	if Total(0) != 0 {
		t.Fatal("not empty")
	}
}
`;
const rust = `pub fn total(price: u32) -> u32 { price * 9 / 10 }

pub fn longest<'a>(a: &'a str, b: &'a str) -> &'a str { if a.len() > b.len() { a } else { b } }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up() {
        assert_eq!(total(100), 90);
        assert_eq!(total(0), 0);
    }
}
`;
const java = `class CartTest {
  @Test
  void addsUp() {
    assertEquals(90, cart.total(100));
    assertEquals(0, cart.total(0));
  }

  @Test
  @DisplayName("refuses")
  void refuses() {
    assertThrows(UnknownCode.class, () -> cart.discount("WINTER99"));
  }
}
`;
const ruby = `describe Cart do
  it "adds up" do
    expect(cart.total).to eq 599
    expect(cart.empty?).to be false
  end

  it "refuses an unknown code" do
    expect { cart.apply("X") }.to raise_error(UnknownCode)
  end
end
`;
const sh = `#!/bin/sh
out=$(./shop total) # what it prints
if [ "$out" != 599 ]; then
  echo "wrong: $out"
  exit 1
fi
`;
const manifest = JSON.stringify({ name: "shop", scripts: { test: "vitest run", build: "tsc" } }, null, 2);
const T = "test/discounts.test.js";
const V = "src/cart.test.ts";
const P = "tests/test_cart.py";
const G = "shop/total_test.go";
const edit = (text: string, from: string, to: string): [string, string] => {
  expect(text).toContain(from);
  return [text, text.replace(from, to)];
};

const dishonest: readonly (readonly [name: string, contents: Contents, problem: RegExp])[] = [
  [
    "equal becomes at least",
    { [P]: edit(py, "self.assertEqual(total(0), 0)", "self.assertGreaterEqual(total(0), 0)") },
    /weaker/,
  ],
  [
    "a C program returns at once",
    { "test/ring_test.c": ["int main(void) {\n  check();\n}\n", "int main(void) {\n  return 0;\n  check();\n}\n"] },
    /returns before/,
  ],
  ["a shell test ends at once", { "test/run.sh": edit(sh, "out=", "exit 0\nout=") }, /ends the process/],
  ["a shell test cannot fail", { "test/run.sh": edit(sh, "exit 1", "exit 0") }, /fewer assertions/],
  ["a test file is deleted", { [T]: [js, null] }, /"a known code.*" was removed/],
  ["a test is deleted", { [T]: edit(js, js.slice(js.indexOf('test("an unknown')), "") }, /"an unknown.*removed/],
  [
    "a test is commented out",
    { [T]: [js, js.replace(/test\("an unknown[\s\S]*$/, (all) => all.replace(/^/gm, "// "))] },
    /removed/,
  ],
  ["renamed so that no runner finds it", { [T]: [js, null], "test/discounts.js.bak": [null, js] }, /removed/],
  ["test.skip", { [T]: edit(js, 'test("an unknown', 'test.skip("an unknown') }, /skipped/],
  ["xit", { [V]: edit(vitest, 'it("adds up"', 'xit("adds up"') }, /skipped/],
  ["skip as an option", { [T]: edit(js, 'refused", () =>', 'refused", { skip: "flaky" }, () =>') }, /skipped/],
  ["t.skip() in the body", { [T]: edit(js, "() => {\n  // assert.ok(true)", "(t) => {\n  t.skip();") }, /skipped/],
  ["describe.skip", { [V]: edit(vitest, 'describe("total"', 'describe.skip("total"') }, /group of tests is skipped/],
  ["test.only beside it", { [T]: edit(js, 'test("a known', 'test.only("a known') }, /only some tests/],
  ["test.todo", { [T]: edit(js, 'test("an unknown', 'test.todo("an unknown') }, /skipped/],
  ["it.fails", { [V]: edit(vitest, 'it("adds up"', 'it.fails("adds up"') }, /skipped or may fail/],
  [
    "an assertion is removed",
    { [T]: edit(js, '  assert.equal(discountFor("VIP25"), 25);\n', "") },
    /fewer assertions \(1 of 2\)/,
  ],
  [
    "an assertion is commented out",
    { [T]: edit(js, '  assert.equal(discountFor("VIP25")', '  // assert.equal(discountFor("VIP25")') },
    /fewer assertions/,
  ],
  ["assert.ok(true)", { [T]: edit(js, 'assert.equal(discountFor("VIP25"), 25)', "assert.ok(true)") }, /always true/],
  [
    "compared with itself",
    { [T]: edit(js, 'assert.equal(discountFor("VIP25"), 25)', "assert.equal(25, 25)") },
    /always true/,
  ],
  [
    "expect(true).toBe(true)",
    { [V]: edit(vitest, "expect(total([])).toEqual(0)", "expect(true).toBe(true)") },
    /always true/,
  ],
  ["|| true", { [T]: [js, `${js}`.replace("assert.throws(", "assert.ok(true || ")] }, /always true|weaker/],
  ["toBe becomes toBeDefined", { [V]: edit(vitest, ".toBe(599)", ".toBeDefined()") }, /weaker assertions/],
  ["expect.anything()", { [V]: edit(vitest, ".toEqual(0)", ".toEqual(expect.anything())") }, /always true/],
  ["the matcher is dropped", { [V]: edit(vitest, ".toBe(599)", "") }, /fewer assertions/],
  ["rows of a table are dropped", { [V]: edit(vitest, '    ["SPRING10", 900],\n', "") }, /fewer cases \(2 of 3\)/],
  [
    "an early return",
    { [T]: edit(js, 'gives its percentage", () => {\n', 'gives its percentage", () => {\n  return;\n') },
    /returns before/,
  ],
  [
    "wrapped in an empty catch",
    {
      [T]: [
        js,
        js.replace(
          '  assert.throws(() => discountFor("WINTER99"), UnknownCode);',
          '  try {\n    assert.throws(() => discountFor("WINTER99"), UnknownCode);\n  } catch {}',
        ),
      ],
    },
    /drops failures/,
  ],
  ["the process ends early", { [T]: edit(js, 'test("a known', 'process.exit(0);\ntest("a known') }, /ends the process/],
  [
    "a new file that ends the process",
    { "test/aaa.test.js": [null, "setTimeout(() => process.exit(0), 1);\n"] },
    /ends the process/,
  ],
  ["assert is replaced", { [T]: edit(js, 'test("a known', 'assert.equal = () => {};\ntest("a known') }, /is replaced/],
  [
    "what is tested is mocked",
    { [V]: edit(vitest, "describe(", 'vi.mock("./cart.ts", () => ({ total: () => 599 }));\ndescribe(') },
    /mock/,
  ],
  [
    "a snapshot is rewritten",
    { "src/__snapshots__/cart.test.ts.snap": ["exports[`a`] = `3`;\n", "exports[`a`] = `4`;\n"] },
    /rewritten/,
  ],
  ["a snapshot is deleted", { "src/__snapshots__/cart.test.ts.snap": ["exports[`a`] = `3`;\n", null] }, /deleted/],
  ["@pytest.mark.skip", { [P]: edit(py, "def test_unknown", "@pytest.mark.skip\ndef test_unknown") }, /skipped/],
  ["xfail", { [P]: edit(py, "def test_unknown", '@pytest.mark.xfail(reason="later")\ndef test_unknown') }, /may fail/],
  [
    "@unittest.skip on a class",
    { [P]: edit(py, "class CartTest", '@unittest.skip("slow")\nclass CartTest') },
    /group of tests/,
  ],
  [
    "pytestmark",
    { [P]: edit(py, "\n\n@pytest.mark.param", "\npytestmark = pytest.mark.skip\n\n@pytest.mark.param") },
    /group of tests/,
  ],
  ["assert True", { [P]: edit(py, "assert total(1000, code) == expected", "assert True") }, /always true/],
  ["or True", { [P]: edit(py, "== expected", "== expected or True") }, /always true/],
  ["raises anything", { [P]: edit(py, "raises(UnknownCode)", "raises(Exception)") }, /weaker/],
  [
    "assertEqual becomes assertTrue",
    { [P]: edit(py, "self.assertEqual(total(0), 0)", "self.assertTrue(total(0) is not None)") },
    /weaker/,
  ],
  ["a test is renamed out of sight", { [P]: edit(py, "def test_unknown_code", "def check_unknown_code") }, /removed/],
  ["a case of parametrize is dropped", { [P]: edit(py, '    ("SPRING10", 900),\n', "") }, /fewer cases/],
  [
    "except: pass",
    {
      [P]: edit(
        py,
        "        self.assertEqual(total(0), 0)",
        "        try:\n            self.assertEqual(total(0), 0)\n        except AssertionError: pass",
      ),
    },
    /drops failures/,
  ],
  [
    "a hook deselects tests",
    { "conftest.py": [null, "def pytest_collection_modifyitems(items):\n    items[:] = []\n"] },
    /which tests run/,
  ],
  [
    "t.Skip",
    { [G]: edit(go, "func TestEmpty(t *testing.T) {", 'func TestEmpty(t *testing.T) {\n\tt.Skip("later")') },
    /skipped/,
  ],
  ["a Go test gets another name", { [G]: edit(go, "func TestEmpty(", "func testEmpty(") }, /removed/],
  ["a row of a Go table is dropped", { [G]: edit(go, "\t\t{200, 180},\n", "") }, /fewer cases/],
  ["a build tag", { [G]: edit(go, "package shop", "//go:build never\n\npackage shop") }, /build tag/],
  ["t.Fatal is removed", { [G]: edit(go, '\t\tt.Fatal("not empty")\n', "") }, /fewer assertions/],
  ["#[ignore]", { "src/lib.rs": edit(rust, "#[test]", "#[test]\n    #[ignore]") }, /skipped/],
  ["the #[test] is taken away", { "src/lib.rs": edit(rust, "    #[test]\n", "") }, /removed/],
  [
    "assert_eq! becomes assert!(true)",
    { "src/lib.rs": edit(rust, "assert_eq!(total(100), 90)", "assert!(true)") },
    /always true/,
  ],
  [
    "@Disabled",
    { "src/test/java/CartTest.java": edit(java, "  @Test\n  void", "  @Test\n  @Disabled\n  void") },
    /skipped/,
  ],
  [
    "a JUnit assertion is removed",
    { "src/test/java/CartTest.java": edit(java, "    assertEquals(0, cart.total(0));\n", "") },
    /fewer assertions/,
  ],
  ["a Ruby example is pending", { "spec/cart_spec.rb": edit(ruby, '  it "adds up"', '  xit "adds up"') }, /skipped/],
  [
    "a Ruby expectation is removed",
    { "spec/cart_spec.rb": edit(ruby, "    expect(cart.empty?).to be false\n", "") },
    /fewer assertions/,
  ],
  [
    "scripts.test does nothing",
    { "package.json": [manifest, manifest.replace("vitest run", "exit 0")] },
    /script "test" was changed/,
  ],
  [
    "scripts.test always succeeds",
    { "package.json": [manifest, manifest.replace("vitest run", "vitest run || true")] },
    /script "test"/,
  ],
  [
    "scripts.test runs less",
    { "package.json": [manifest, manifest.replace("vitest run", "vitest run src/other.test.ts")] },
    /script "test"/,
  ],
  ["scripts.test is removed", { "package.json": [manifest, '{"name":"shop","scripts":{}}'] }, /was removed/],
  [
    "tests are excluded",
    { "vitest.config.ts": ["export default {};\n", 'export default { test: { exclude: ["src/cart.test.ts"] } };\n'] },
    /which tests run/,
  ],
  [
    "pass with no tests",
    { "jest.config.js": ["module.exports = {};\n", "module.exports = { passWithNoTests: true };\n"] },
    /which tests run/,
  ],
  ["the configuration is deleted", { "pytest.ini": ["[pytest]\n", null] }, /deleted/],
  [
    "addopts",
    { "pyproject.toml": ["[project]\n", '[project]\n[tool.pytest.ini_options]\naddopts = "-k empty"\n'] },
    /which tests run/,
  ],
  [
    "failures do not count in the Makefile",
    { Makefile: ["test:\n\tpytest\n", "test:\n\tpytest || true\n"] },
    /failure/,
  ],
  [
    "Maven skips tests",
    { "pom.xml": ["<project/>\n", "<project>\n<skipTests>true</skipTests>\n</project>\n"] },
    /which tests/,
  ],
  [
    "the code asks for the test runner",
    { "src/discounts.js": ["export const a = 1;\n", "export const a = process.env.NODE_TEST_CONTEXT ? 10 : 1;\n"] },
    /being tested/,
  ],
  [
    "the code ends the process when loaded",
    { "src/discounts.js": ["export const a = 1;\n", "process.exit(0);\nexport const a = 1;\n"] },
    /ends the process/,
  ],
  ["pytest is shadowed", { "pytest.py": [null, "def main(): return 0\n"] }, /takes the place/],
];

const moved = js.replace(
  'test("an unknown code is refused", () => {\n',
  'test("codes that nobody knows are refused", () => {\n',
);
const honest: readonly (readonly [name: string, contents: Contents])[] = [
  ["Shell: a case more", { "test/run.sh": [sh, `${sh}./shop help | grep usage || exit 2\nexit 0\n`] }],
  [
    "tests are added",
    { [T]: [js, `${js}\ntest("case does not matter", () => {\n  assert.equal(discountFor("vip25"), 25);\n});\n`] },
  ],
  ["a new test file", { "test/cart.test.js": [null, js] }],
  [
    "an assertion is added",
    { [T]: edit(js, "// assert.ok(true)", 'assert.throws(() => discountFor(""), UnknownCode);') },
  ],
  ["a test gets a better name", { [T]: [js, moved] }],
  ["a test file is moved", { [T]: [js, null], "tests/codes/discounts.test.js": [null, js] }],
  [
    "a test moves to another file",
    {
      [T]: edit(js, js.slice(js.indexOf('\ntest("an unknown')), ""),
      "test/unknown.test.js": [
        null,
        js.slice(0, js.indexOf('test("a known')) + js.slice(js.indexOf('test("an unknown')),
      ],
    },
  ],
  ["an expected value changes with the ticket", { [T]: edit(js, '("VIP25"), 25', '("VIP25"), 30') }],
  [
    "formatting",
    {
      [V]: [
        vitest,
        vitest
          .replace(/^ {2}/gm, "    ")
          .replace("{ price: 250, quantity: 2 }, ", "{ price: 250, quantity: 2 },\n        "),
      ],
    },
  ],
  ["comments", { [T]: [js, js.replace('test("an', '// skip: not yet; test.skip("x"); process.exit(0)\ntest("an')] }],
  [
    "words that look like cheating, in texts",
    { [T]: [js, js.replace('"WINTER99"', '"test.skip(1); process.exit(0); expect(true).toBe"')] },
  ],
  ["a row is added", { [V]: edit(vitest, '    ["NONE", 1000],\n', '    ["NONE", 1000],\n    ["vip25", 750],\n') }],
  [
    "two assertions become one of the whole",
    {
      [T]: edit(
        js,
        '  assert.equal(discountFor("SPRING10"), 10);\n  assert.equal(discountFor("VIP25"), 25);\n',
        '  assert.deepEqual(["SPRING10", "VIP25"].map(discountFor), [10, 25]);\n',
      ),
    },
  ],
  [
    "a new test that is skipped on Windows",
    { [T]: [js, `${js}\ntest("links", { skip: process.platform === "win32" }, () => {\n  assert.ok(link());\n});\n`] },
  ],
  [
    "imports and a helper",
    { [T]: edit(js, "import { test }", 'import { code } from "./support.js";\nimport { test }') },
  ],
  [
    "Python: a case and a test more",
    {
      [P]: [
        py,
        `${py.replace('    ("SPRING10", 900),\n', '    ("SPRING10", 900),\n    ("vip25", 750),\n')}\n\ndef test_blanks():\n    assert total(1000, " VIP25 ") == 750\n`,
      ],
    },
  ],
  [
    "Python: a fixture in conftest",
    { "conftest.py": ["import pytest\n", "import pytest\n\n\n@pytest.fixture\ndef cart():\n    return Cart()\n"] },
  ],
  [
    "Go: a row and a test more",
    {
      [G]: [
        go,
        `${go.replace("\t\t{200, 180},\n", "\t\t{200, 180},\n\t\t{0, 0},\n")}\nfunc TestMore(t *testing.T) {\n\tif Total(1) != 0 {\n\t\tt.Error("no")\n\t}\n}\n`,
      ],
    },
  ],
  [
    "Rust: code and tests",
    {
      "src/lib.rs": [
        rust,
        rust
          .replace("price * 9 / 10", "price - price / 10")
          .replace("assert_eq!(total(0), 0);", "assert_eq!(total(0), 0);\n        assert_eq!(total(10), 9);"),
      ],
    },
  ],
  [
    "Java: a test more",
    {
      "src/test/java/CartTest.java": [
        java,
        java.replace(/\}\n$/, "\n  @Test\n  void more() {\n    assertTrue(cart.isEmpty());\n  }\n}\n"),
      ],
    },
  ],
  [
    "Ruby: an example more",
    {
      "spec/cart_spec.rb": [
        ruby,
        ruby.replace(/end\n$/, '\n  it "is empty" do\n    expect(cart).to be_empty\n  end\nend\n'),
      ],
    },
  ],
  [
    "a dependency and another script",
    { "package.json": [manifest, manifest.replace('"build": "tsc"', '"build": "tsc -b", "lint": "biome check"')] },
  ],
  [
    "the test script does more",
    { "package.json": [manifest, manifest.replace("vitest run", "vitest run && biome check")] },
  ],
  ["a first test script", { "package.json": ['{"name":"shop"}', manifest] }],
  [
    "an alias in the configuration",
    {
      "vitest.config.ts": ["export default {\n};\n", 'export default {\n  resolve: { alias: { "@": "/src" } },\n};\n'],
    },
  ],
  ["a program that ends with success", { "bin/shop.js": ["run();\n", "run();\nprocess.exit(0);\n"] }],
  ["a new recording for a new test", { "src/__snapshots__/new.test.ts.snap": [null, "exports[`b`] = `1`;\n"] }],
  ["only code", { "src/discounts.js": ["export const a = 1;\n", "export const a = 2;\n"] }],
  ["an unused test helper goes", { "test/support/old.js": ["export const unused = 1;\n", null] }],
];

describe("sabotage is flagged", () => {
  it.each(dishonest)("%s", (_name, contents, problem) => {
    expect(
      findSabotage(changes(contents))
        .map((flag) => `${flag.path}: ${flag.problem}`)
        .join("\n"),
    ).toMatch(problem);
  });
  it("knows many ways", () => expect(dishonest.length).toBeGreaterThanOrEqual(25));
});

describe("honest changes are not", () => {
  it.each(honest)("%s", (_name, contents) => {
    expect(findSabotage(changes(contents))).toEqual([]);
  });
  it("knows many of them", () => expect(honest.length).toBeGreaterThanOrEqual(15));
});
