/** The symbol map: what each language's declarations look like in it, and that no file can hurt the one who asks. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createCommandLog } from "../../src/tools/commands.ts";
import { outline } from "../../src/tools/outline.ts";
import { ToolRefusal } from "../../src/tools/tool.ts";
import { bareWorkspace } from "../support/bare-workspace.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "ticketsmith-outline-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(name: string, text: string): void {
  mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
  writeFileSync(path.join(root, name), text);
}

function call(input: object, signal = new AbortController().signal): Promise<string> {
  const workspace = bareWorkspace(root);
  return outline.execute(input, { workspace, commands: createCommandLog(), signal, commandTimeoutMs: 1000 });
}

async function refusal(input: object): Promise<string> {
  const outcome = await call(input).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(ToolRefusal);
  return (outcome as Error).message;
}

const files: readonly (readonly [name: string, source: string, expected: readonly string[]])[] = [
  [
    "cart.ts",
    'import x from "x";\n// äöü 😀\nexport abstract class Cart<T> extends Base {\n  #sum = 0;\n  abstract empty(): void;\n  static async load(id: string) {\n    function inner() {}\n  }\n}\nexport const total = (items: T[]): number => {\n  return 1;\n};\nconst limit = 5;\nexport interface Item {\n  price: number;\n}\nexport type Id = string;\nexport default function main() {}\n',
    [
      "3\texport abstract class Cart<T> extends Base",
      "5\t  abstract empty(): void",
      "6\t  static async load(id: string)",
      "10\texport const total = (items: T[]): number =>",
      "13\tconst limit",
      "14\texport interface Item",
      "17\texport type Id",
      "18\texport default function main()",
    ],
  ],
  [
    "cart.test.js",
    'describe("cart", () => {\n  it("adds", async () => {});\n  it.skip("subtracts", () => {});\n});\nmodule.exports.total = 1;\n',
    ['1\tdescribe "cart"', '2\t  it "adds"', '3\t  it.skip "subtracts"', "5\tmodule.exports.total = 1"],
  ],
  [
    "View.tsx",
    "export function View({ a }: Props) {\n  return <b>{a}</b>;\n}\n",
    ["1\texport function View({ a }: Props)"],
  ],
  [
    "shop/cart.py",
    "import os\n\n@dataclass\nclass Cart(Base):\n    sum: int = 0\n\n    async def add(self, item) -> int:\n        def inner(): pass\n\ndef main(): pass\n",
    ["4\tclass Cart(Base)", "7\t  async def add(self, item) -> int", "10\tdef main()"],
  ],
  [
    "cart.go",
    "package shop\n\ntype Cart struct {\n\tsum int\n}\n\nfunc (c *Cart) Add(price int) error { return nil }\nfunc New() *Cart { return nil }\n",
    ["3\tCart struct { sum int }", "7\tfunc (c *Cart) Add(price int) error", "8\tfunc New() *Cart"],
  ],
  [
    "Cart.java",
    "package shop;\npublic class Cart extends Base {\n  int sum;\n  public Cart() {}\n  @Override public int add(int price) throws E { return 1; }\n}\n",
    ["2\tpublic class Cart extends Base", "4\t  public Cart()", "5\t  @Override public int add(int price) throws E"],
  ],
  ["app.css", ".a, .b {\n  color: red;\n}\n@media (x) {\n  .c { }\n}\n", ["1\t.a, .b", "4\t@media (x)", "5\t  .c"]],
  ["page.html", '<body>\n<div id="main"><p>t</p></div>\n</body>\n', ['2\t<div id="main">']],
];

it.each(files)("%s", async (name, source, expected) => {
  put(name, source);
  expect((await call({ path: name })).split("\n")).toEqual([name, ...expected]);
});

it("shows the top level of a directory, without ignored files, links and other languages", async () => {
  put(".gitignore", "dist/\n");
  put("src/a.js", "export class A {\n  b() {}\n}\n");
  put("src/deep/b.js", "function b() {}\n");
  put("dist/out.js", "function out() {}\n");
  put("README.md", "# x\n");
  symlinkSync("../../..", path.join(root, "src/up"));
  symlinkSync("a.js", path.join(root, "src/link.js"));
  expect(await call({})).toBe("src/a.js\n1\texport class A\nsrc/deep/b.js\n1\tfunction b()");
  expect(await call({ path: "src/deep" })).toBe("src/deep/b.js\n1\tfunction b()");
  expect(await refusal({ path: "README.md" })).toContain("no source file at README.md in a language known here");
  expect(await refusal({ path: "src/link.js" })).toContain("symbolic link");
  expect(await refusal({ path: "../x.js" })).toContain("leads out");
});

it("goes page by page", async () => {
  put("many.js", Array.from({ length: 900 }, (_, i) => `function f${i}() {}`).join("\n"));
  const first = await call({ path: "many.js" });
  expect(first).toMatch(/\[lines 1-300 of 901; go on with from=301\]$/);
  expect((await call({ path: "many.js", from: 301 })).split("\n")[0]).toBe("300\tfunction f299()");
});

it("makes out what it can of broken and of odd files, and survives monsters", async () => {
  put("broken.js", "class A {\n  b( {\nfunction c() {}\n");
  put("bin.js", "\0\0");
  put("deep.js", `${"[".repeat(60_000)}`);
  put("huge.js", "function f() {}\n".repeat(100_000));
  put("empty.js", "");
  put("latin.py", "x = 1");
  expect(await call({ path: "broken.js" })).toContain("broken.js");
  expect(await call({ path: "empty.js" })).toBe("empty.js");
  const answer = await call({}).catch((error: unknown) => {
    expect(error).toBeInstanceOf(ToolRefusal);
    return (error as Error).message;
  });
  expect(answer.length).toBeLessThan(20_000);
});

it("ends when the run is cancelled", async () => {
  put("a.js", "function a() {}\n");
  await expect(call({}, AbortSignal.abort(new Error("cancelled")))).rejects.toThrow("cancelled");
});
