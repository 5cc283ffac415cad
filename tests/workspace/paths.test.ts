import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Refusal, resolveInside, splitPath } from "../../src/workspace/paths.ts";
import { deleteInside, listInside, readInside, writeInside } from "../../src/workspace/tree.ts";

let outside: string;
let root: string;

beforeEach(() => {
  outside = mkdtempSync(path.join(tmpdir(), "ticketsmith-paths-"));
  root = path.join(outside, "tree");
  mkdirSync(path.join(root, "src/deep"), { recursive: true });
  writeFileSync(path.join(root, "src/a.txt"), "inside\n");
  writeFileSync(path.join(root, "src/deep/b.txt"), "inside\n");
  writeFileSync(path.join(outside, "secret"), "canary\n");
  mkdirSync(path.join(outside, "etc"));
  writeFileSync(path.join(outside, "etc/passwd"), "canary\n");
  writeFileSync(path.join(outside, "etc/only-outside"), "canary\n");
  mkdirSync(path.join(root, ".git"));
  writeFileSync(path.join(root, ".git/config"), "canary\n");
  symlinkSync("../secret", path.join(root, "link"));
  symlinkSync(path.join(outside, "etc"), path.join(root, "dir"));
  symlinkSync(outside, path.join(root, "src/up"));
  symlinkSync("nowhere", path.join(root, "dangling"));
  symlinkSync("src", path.join(root, "alias"));
  execFileSync("mkfifo", [path.join(root, "pipe")]);
});

afterEach(() => rmSync(outside, { recursive: true, force: true }));

/** Everything below `outside` but the tree, and the tree's own `.git`: none of it may change or be seen. */
function guarded(): string {
  const files = ["secret", "etc/passwd", "tree/.git/config"].map((name) =>
    readFileSync(path.join(outside, name), "utf8"),
  );
  return JSON.stringify([
    files,
    readdirSync(outside),
    readdirSync(path.join(outside, "etc")),
    readdirSync(path.join(root, ".git")),
  ]);
}

const hostile = [
  ...[
    "..",
    "../secret",
    "src/../../secret",
    "src/..",
    "./../secret",
    "..\\secret",
    "src\\..\\..\\secret",
    "a/b/../../../secret",
  ],
  ...[
    "/etc/passwd",
    "//etc/passwd",
    "/proc/self/environ",
    "C:\\x",
    "C:/x",
    "c:secret",
    "\\\\host\\share",
    "\\etc\\passwd",
  ],
  ...["a\0b", "secret\0.txt", "a\nb", "a\rb", "a\u007fb", "a\u0085b", "a\u2028b", "\ud800"],
  ...[
    ".git",
    ".git/config",
    ".GIT/config",
    ".Git/config",
    "src/.git/hooks/x",
    ".git.",
    ".git ",
    ".git. . ",
    ".git::$INDEX_ALLOCATION",
  ],
  ...[
    ".git:x",
    "git~1",
    "GIT~1/config",
    "git~2",
    ".g\u200cit/config",
    ".gi\u200bt",
    "\ufeff.git/config",
    ".git\u202e",
    ".\u2060git",
  ],
  ...[".ｇｉｔ/config", ".git/", "./.git/config", "src/.GIT~1/../.git", ".. ", "...../../..", ".. /secret"],
  ...["link", "dir", "dir/passwd", "src/up/secret", "dangling", "alias/a.txt", "src/up/tree/src/a.txt", "pipe"],
  ...["x".repeat(256), "é".repeat(200), "a/".repeat(60), "x".repeat(1001), "", ".", "/", "./."],
];

describe("hostile paths", () => {
  it.each(hostile.map((given) => [given]))("%j is neither read, written nor deleted", async (given) => {
    const before = guarded();
    await expect(readInside(root, given, 1000)).rejects.toThrow(Refusal);
    await expect(writeInside(root, given, "overwritten")).rejects.toThrow(Refusal);
    await expect(deleteInside(root, given)).rejects.toThrow(Refusal);
    expect(guarded()).toBe(before);
  });

  it("takes odd but honest names", async () => {
    for (const given of [
      ".gitignore",
      ".gitlab-ci.yml",
      "..a",
      "a..b",
      "git",
      "~",
      "%2e%2e",
      "-rf",
      "名前.txt",
      "a b",
      "x.git",
    ]) {
      expect(await writeInside(root, given, given)).toBe("created");
      expect((await readInside(root, given, 1000)).toString()).toBe(given);
      expect(await writeInside(root, `./${given}`, "2")).toBe("overwritten");
      await deleteInside(root, given);
    }
    expect(splitPath("./a//b/./c/")).toEqual(["a", "b", "c"]);
    expect(await resolveInside(root, "new/dir/file")).toBe(path.join(root, "new/dir/file"));
    await expect(resolveInside(root, "dir/passwd")).rejects.toThrow(/symbolic link/);
  });

  it("never leaves the tree, whatever the path (property)", async () => {
    const before = guarded();
    const part = fc.oneof(
      fc.constantFrom(
        "..",
        ".",
        "",
        "src",
        "deep",
        "up",
        "dir",
        "link",
        "alias",
        ".git",
        ".GIT",
        "git~1",
        "passwd",
        "secret",
        "tree",
        "config",
        "a.txt",
      ),
      fc.constantFrom("..\\", "\0", "\u200d", " ", ":", "~", "/", ".git\u200d", "..\u200b"),
      fc.string({ unit: "grapheme", maxLength: 6 }),
    );
    const given = fc
      .tuple(fc.array(part, { maxLength: 6 }), fc.constantFrom("", "/", "./", "../"))
      .map(([parts, head]) => head + parts.join("/"));
    await fc.assert(
      fc.asyncProperty(given, async (name) => {
        const content = await readInside(root, name, 1000).catch((error: unknown) => error);
        if (Buffer.isBuffer(content)) expect(content.toString()).not.toContain("canary");
        else expect(content).toBeInstanceOf(Refusal);
        const written = await writeInside(root, name, "inside\n").catch((error: unknown) => error);
        if (written instanceof Error) expect(written).toBeInstanceOf(Refusal);
        const listed = await listInside(root, name, { depth: 2, limit: 100 }).catch((error: unknown) => error);
        if (listed instanceof Error) expect(listed).toBeInstanceOf(Refusal);
        else expect(JSON.stringify(listed)).not.toMatch(/only-outside|\.git\//);
        expect(guarded()).toBe(before);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a directory that becomes a symlink at the wrong moment", () => {
  it("gains nothing", async () => {
    const real = path.join(root, "src/deep");
    const away = path.join(root, "src/away");
    writeFileSync(path.join(outside, "etc/b.txt"), "canary\n");
    let done = false;
    // The writer under test may make the directory anew in between: clear the place before each move.
    const put = (move: () => void): void => {
      for (;;) {
        rmSync(real, { recursive: true, force: true });
        try {
          move();
          return;
        } catch (error) {
          expect((error as NodeJS.ErrnoException).code).toMatch(/EEXIST|ENOTEMPTY|EISDIR/);
        }
      }
    };
    const swap = (async () => {
      while (!done) {
        renameSync(real, away);
        put(() => symlinkSync(path.join(outside, "etc"), real));
        await new Promise((resolve) => setImmediate(resolve));
        put(() => renameSync(away, real));
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    let read = 0;
    for (let i = 0; i < 300; i += 1) {
      const content = await readInside(root, "src/deep/b.txt", 1000).catch((error: unknown) => error);
      if (Buffer.isBuffer(content)) {
        expect(content.toString()).toBe("inside\n");
        read += 1;
      } else expect(content).toBeInstanceOf(Refusal);
      await writeInside(root, "src/deep/b.txt", "inside\n").catch((error: unknown) =>
        expect(error).toBeInstanceOf(Refusal),
      );
    }
    done = true;
    await swap;
    expect(read).toBeGreaterThan(0);
    expect(readFileSync(path.join(outside, "etc/b.txt"), "utf8")).toBe("canary\n");
  });
});

describe("listing", () => {
  it("names links without entering them, and hides nothing else", async () => {
    expect(await listInside(root, "src", { depth: 3, limit: 100 })).toEqual({
      paths: ["src/a.txt", "src/deep/", "src/deep/b.txt", "src/up (symbolic link, not followed)"],
      more: false,
    });
    expect(await listInside(root, ".", { depth: 1, limit: 2 })).toMatchObject({ more: true });
    await expect(listInside(root, "src/a.txt", { depth: 1, limit: 2 })).rejects.toThrow(Refusal);
  });
});
