import { z } from "zod";
import { isSnapshot, isTestFile } from "../domain/test-file.ts";
import { NotThere, splitPath } from "../workspace/paths.ts";
import { readInside, writeInside } from "../workspace/tree.ts";
import { linesOf } from "./text-file.ts";
import { defineTool, PathInput, ToolRefusal, workspaceOf } from "./tool.ts";

/** Whether there is something at `path`, whatever it is. */
async function isThere(root: string, path: string): Promise<boolean> {
  try {
    await readInside(root, path, 0);
    return true;
  } catch (error) {
    // Every other refusal (not empty, a directory, a link) means that something is there.
    return !(error instanceof NotThere);
  }
}

/**
 * For whoever judges a change: adds tests, and can touch nothing else. Tests that are there are evidence, so they cannot be replaced;
 * only what this agent wrote itself can.
 */
export const writeTest = defineTool({
  name: "write_test",
  description:
    "Create a new test file, at a path where this project's test runner finds it. Files that were there before cannot be changed.",
  input: z.strictObject({
    path: PathInput,
    content: z.string().max(200_000).describe("The whole content of the file"),
  }),
  async execute({ path, content }, context) {
    const { root } = workspaceOf(context);
    const { written } = context;
    if (written === undefined) throw new Error("this agent was given write_test, but nothing to note its files in");
    const name = splitPath(path).join("/");
    if (!isTestFile(name) || isSnapshot(name)) {
      throw new ToolRefusal(
        `${path} is not where tests are: use a name like test/cart.test.js, src/cart.test.ts, tests/test_cart.py or cart_test.go`,
      );
    }
    if (!written.has(name) && (await isThere(root, name))) {
      throw new ToolRefusal(`${path} is there already: write your test to a file of its own`);
    }
    const outcome = await writeInside(root, name, content);
    written.add(name);
    return `${outcome} ${name} (${linesOf(content).length} lines)`;
  },
});
