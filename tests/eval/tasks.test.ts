/** Task files: what is accepted, what is told of mistakes; and that our own tasks are not solved before they begin. */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { layOver, runCheck } from "../../eval/check.ts";
import { missingPrograms, programsOf, ticketText } from "../../eval/evaluate.ts";
import { assign } from "../../eval/suite.ts";
import { loadSuite } from "../../eval/task.ts";
import { silentLog } from "../../src/platform/log.ts";
import { createSandbox } from "../../src/workspace/sandbox.ts";

const ours = path.resolve(import.meta.dirname, "../../eval/tasks");
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), "ticketsmith-tasks-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, string>>): Promise<string> {
  const suite = await mkdtemp(path.join(scratch, "suite-"));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(suite, name)), { recursive: true });
    await writeFile(path.join(suite, name), text);
  }
  return suite;
}

describe("task files", () => {
  const minimal = { "a/task.yaml": "title: Do it\ntest: npm test\n", "a/repo/x.txt": "", "a/check/y.txt": "" };

  test("need no more than a title and a test command", async () => {
    const [task] = await loadSuite(await write(minimal));
    expect(task).toMatchObject({
      name: "a",
      title: "Do it",
      description: "",
      acceptanceCriteria: [],
      language: "other",
      test: ["npm", "test"],
      check: ["npm", "test"],
    });
  });

  test("a command with more in it than words goes to a shell", async () => {
    const yaml = "title: Do it\ntest: [node, --test]\ncheck: cd sub && npm test\n";
    const [task] = await loadSuite(await write({ ...minimal, "a/task.yaml": yaml }));
    expect(task?.test).toEqual(["node", "--test"]);
    expect(task?.check).toEqual(["sh", "-c", "cd sub && npm test"]);
  });

  test("every mistake is told, with its file", async () => {
    const suite = await write({
      "a/task.yaml": "title: 7\ntest: []\nexpect: '('\n",
      "b/task.yaml": "title: [",
      "b/repo/x": "",
    });
    const message = await loadSuite(suite).catch((error: Error) => error.message);
    for (const part of [
      "a/task.yaml: title",
      "a/task.yaml: test",
      "a/task.yaml: expect",
      "a: there is no folder repo/",
      "b/task.yaml: ",
    ]) {
      expect(message).toContain(part);
    }
  });

  test("can be chosen by name", async () => {
    expect((await loadSuite(ours, "py-*")).map((task) => task.name)).toEqual([
      "py-bookings",
      "py-settings-layers",
      "py-slugs",
    ]);
    expect((await loadSuite(ours, "retry")).map((task) => task.name)).toEqual(["ts-retry"]);
    await expect(loadSuite(ours, "cobol")).rejects.toThrow('has no task that matches "cobol"');
    await expect(loadSuite(path.join(ours, "nowhere"))).rejects.toThrow("there is no folder");
  });

  test("a scripted model that there is not is refused by name", async () => {
    const [task] = await loadSuite(await write(minimal));
    if (task === undefined) throw new Error("the task is not there");
    await expect(assign(task, "scripted:genius")).rejects.toThrow("scripted:gold");
    expect((await assign(task, "gpt-9")).policy).toBeNull();
  });

  test("the ticket says what the task says", async () => {
    const [task] = await loadSuite(ours, "js-duration");
    if (task === undefined) throw new Error("the task is not there");
    const text = ticketText(task);
    expect(text).toContain("takes only the first one");
    for (const criterion of task.acceptanceCriteria) expect(text).toContain(criterion);
  });
});

test("nothing that a branch left in the way leads check/ out of the tree", async () => {
  const check = await write({ "test/deep/a.js": "check", "b.js": "check" });
  const tree = await write({ "keep.txt": "kept", "test/own.js": "own" });
  const outside = await write({ "a.js": "outside", "b.js": "outside" });
  await symlink(outside, path.join(tree, "test/deep"));
  await symlink(path.join(outside, "b.js"), path.join(tree, "b.js"));
  await layOver(check, tree);
  expect(await readFile(path.join(outside, "a.js"), "utf8")).toBe("outside");
  expect(await readFile(path.join(outside, "b.js"), "utf8")).toBe("outside");
  expect(await readFile(path.join(tree, "test/deep/a.js"), "utf8")).toBe("check");
  expect(await readFile(path.join(tree, "b.js"), "utf8")).toBe("check");
  expect(await readFile(path.join(tree, "test/own.js"), "utf8")).toBe("own");
});

test("no task of ours is solved before it begins, nor by its wrong answers", { timeout: 120_000 }, async () => {
  const sandbox = createSandbox({ mode: "process-for-demo", log: silentLog });
  const tasks = await loadSuite(ours);
  const missing = await missingPrograms(tasks, sandbox, ours);
  const passed: string[] = [];
  const failures: string[] = [];
  for (const task of tasks.filter((one) => programsOf(one).every((program) => !missing.has(program)))) {
    for (const answer of ["", "wrong"]) {
      const tree = path.join(scratch, `${task.name}-${answer}`);
      await cp(path.join(task.folder, "repo"), tree, { recursive: true });
      if (answer !== "") {
        const there = await cp(path.join(task.folder, answer), tree, { recursive: true }).then(
          () => true,
          () => false,
        );
        if (!there) continue;
      }
      const { status } = await runCheck(task, tree, sandbox);
      (status === "passed" ? passed : failures).push(`${task.name} ${answer}`);
    }
  }
  expect(passed).toEqual([]);
  expect(failures.length).toBeGreaterThanOrEqual(tasks.length - missing.size);
});
