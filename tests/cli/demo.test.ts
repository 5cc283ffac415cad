/** The README's first command, as a stranger would type it. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";

const cli = path.resolve(import.meta.dirname, "../../src/cli/ticketsmith.ts");
const compileCache = path.resolve(import.meta.dirname, "../../src/cli/compile-cache.ts");
const directory = mkdtempSync(path.join(os.tmpdir(), "ticketsmith-demo-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function demo(
  argv: readonly string[],
  whenSaid?: (said: string, child: ReturnType<typeof spawn>) => void,
): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--import", compileCache, cli, "demo", ...argv], {
      cwd: directory,
      env: { PATH: process.env.PATH },
    });
    let said = "";
    const hear = (chunk: Buffer): void => {
      said += chunk.toString();
      whenSaid?.(said, child);
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    child.on("exit", (code) => resolve({ code, said }));
  });
}

describe("the demo", () => {
  test("ends 0 with the three addresses, twice in the same folder", async () => {
    for (const _time of [1, 2]) {
      const { code, said } = await demo([]);
      expect(said).toMatch(/run node --test\s+failed \(exit 1\)[\s\S]*run node --test\s+passed/);
      expect(said).toMatch(/Ticket +http:\/\/127\.0\.0\.1:\d+\/browse\/SHOP-1/);
      expect(said).toMatch(/Merge request +http:\/\/127\.0\.0\.1:\d+\/acme\/shop\/-\/merge_requests\/1/);
      expect(said).toMatch(/Page +http:\/\/127\.0\.0\.1:\d+\/wiki\/spaces\/SHOP\/pages\/\d+/);
      expect(code).toBe(0);
    }
    expect(existsSync(path.join(directory, ".ticketsmith/demo"))).toBe(false);
  });

  test("with --keep the pages and the dashboard stay up until Ctrl-C", async () => {
    const pages: (string | number)[] = [];
    let asked = false;
    const { code, said } = await demo(["--keep"], (text, child) => {
      if (asked || !text.includes("Everything stays up")) return;
      asked = true;
      const urls = [...text.matchAll(/(?:Ticket|Merge request|Page|Dashboard) +(http\S+)/g)].map(
        (match) => match[1] ?? "",
      );
      void Promise.all(urls.map(async (url) => pages.push((await fetch(url)).status))).finally(() =>
        child.kill("SIGINT"),
      );
    });
    expect(said).toContain("Dashboard");
    expect(pages).toEqual([200, 200, 200, 200]);
    expect(code).toBe(0);
  });

  test("that goes wrong ends 1 and names the step", async () => {
    const { code, said } = await demo(["--scenarios", path.join(import.meta.dirname, "speechless")]);
    expect(said).toMatch(/The demo failed: the run ended "failed" in step "plan"/);
    expect(code).toBe(1);
  });
}, 180_000);
