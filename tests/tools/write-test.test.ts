/** The tool with which QA adds tests: it can do nothing else. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCommandLog } from "../../src/tools/commands.ts";
import { writeTest } from "../../src/tools/write-test.ts";
import { bareWorkspace } from "../support/bare-workspace.ts";

let root: string;
let written: Set<string>;

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), "ticketsmith-write-test-"));
  written = new Set();
  mkdirSync(path.join(root, "test"));
  writeFileSync(path.join(root, "test/cart.test.js"), "old\n");
  writeFileSync(path.join(root, "test/empty.test.js"), "");
  symlinkSync("../package.json", path.join(root, "test/link.test.js"));
  symlinkSync("..", path.join(root, "tests"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const write = (file: string, content = "new\n"): Promise<string> =>
  writeTest.execute(
    { path: file, content },
    {
      ...{ workspace: bareWorkspace(root), commands: createCommandLog(), written },
      ...{ signal: new AbortController().signal, commandTimeoutMs: 1000 },
    },
  );

describe("write_test", () => {
  it("creates a test, notes it, and may replace its own", async () => {
    expect(await write("./test/new/typed.test.js")).toBe("created test/new/typed.test.js (1 lines)");
    expect(await write("test/new/typed.test.js", "again\n")).toBe("overwritten test/new/typed.test.js (1 lines)");
    expect([...written]).toEqual(["test/new/typed.test.js"]);
    expect(readFileSync(path.join(root, "test/new/typed.test.js"), "utf8")).toBe("again\n");
  });

  it.each([
    ["test/cart.test.js", /is there already/],
    ["test/empty.test.js", /is there already/],
    ["test/link.test.js", /is there already/],
    ["test", /is not where tests are/],
    ["src/cart.js", /is not where tests are/],
    ["package.json", /is not where tests are/],
    ["vitest.config.ts", /is not where tests are/],
    ["tests/conftest.py", /is not where tests are/],
    ["test/__snapshots__/a.test.js.snap", /is not where tests are/],
    ["../test/a.test.js", /leads out/],
    ["test/../src/a.test.js", /leads out/],
    ["test/.git/a.test.js", /git's own/],
    ["tests/a.test.js", /is there already/],
  ])("refuses %s", async (file, why) => {
    await expect(write(file)).rejects.toThrow(why);
    expect([...written]).toEqual([]);
    expect(readFileSync(path.join(root, "test/cart.test.js"), "utf8")).toBe("old\n");
  });
});
