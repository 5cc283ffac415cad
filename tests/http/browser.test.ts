/** What only a browser can show: that the policy lets our own script run, that pages follow a run, and which cookies are sent. */
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silentLog } from "../../src/platform/log.ts";
import { openDatabase } from "../../src/store/database.ts";
import type { Database } from "../../src/store/queryable.ts";
import { findRun, handOver } from "../../src/store/runs.ts";
import { addProgress, startStep } from "../../src/store/steps.ts";
import { calm, hostile, lease, seedFinished, seedQueued } from "./seed.ts";
import { apiKey, startServer, type TestServer } from "./server.ts";

const executablePath = "/usr/bin/chromium";
const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

describe.skipIf(!existsSync(executablePath))("in a browser", () => {
  let database: Database;
  let server: TestServer;
  let browser: Browser;

  beforeAll(async () => {
    database = await openDatabase({ directory: ":memory:", log: silentLog });
    server = await startServer(database);
    browser = await chromium.launch({ executablePath, args: flags });
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await server.close();
    await database.close();
  });

  /** A page, and everything that it complains about. */
  async function openPage(
    options: { javaScriptEnabled?: boolean } = {},
  ): Promise<{ page: Page; complaints: string[] }> {
    const page = await (await browser.newContext(options)).newPage();
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("dialog", (dialog) => {
      complaints.push(dialog.message());
      void dialog.accept();
    });
    return { page, complaints };
  }

  test("a page follows its run to the end and leaves open what was opened", async () => {
    await seedFinished(database, "rshown", "SHOP-1", calm, "failed");
    await database.query("update ticketsmith.runs set state = 'queued', ended_at = null where id = 'rshown'");
    const run = await lease(database, "rshown");
    const { page, complaints } = await openPage();
    await page.goto(`${server.url}/runs/rshown`);
    await page.locator("#talk-1 > summary").click();
    await startStep(database, "rshown", "report");
    await addProgress(database, "rshown", "step.started", { step: "report" });
    await page.locator(".timeline .name", { hasText: "report" }).waitFor();
    expect(await page.locator("#talk-1").getAttribute("open")).toBe("");
    await handOver(database, run, { state: "done", progressed: true });
    await addProgress(database, "rshown", "run.ended", { state: "done", reason: "" });
    await page.locator("header .pill.good").waitFor();
    expect(await page.locator("button.danger").count()).toBe(0);
    expect(complaints).toEqual([]);
  }, 30_000);

  test("hostile text runs nothing", async () => {
    await seedFinished(database, "revil", "SHOP-2", hostile(`"><script>alert(1)</script><img src=x onerror=alert(2)>`));
    const { page, complaints } = await openPage();
    for (const path of ["/", "/runs/revil"]) await page.goto(server.url + path, { waitUntil: "load" });
    expect(await page.locator("img").count()).toBe(0);
    expect(complaints).toEqual([]);
  }, 30_000);

  test("a run is stopped with and without JavaScript", async () => {
    for (const [id, javaScriptEnabled] of [
      ["rstop1", true],
      ["rstop2", false],
    ] as const) {
      await seedQueued(database, id, `STOP-${id.slice(-1)}`);
      const { page } = await openPage({ javaScriptEnabled });
      await page.goto(`${server.url}/runs/${id}`);
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByText("stopped in the dashboard").first().waitFor();
      expect((await findRun(database, id))?.state).toBe("cancelled");
    }
  }, 30_000);

  test("a link from another site finds a person who has signed in", async () => {
    const locked = await startServer(database, { environment: { HOST: "127.0.0.1", TICKETSMITH_API_KEY: apiKey } });
    const other = createServer((_request, response) => {
      response.setHeader("content-type", "text/html").end(`<a href="${locked.url}/runs/revil">run</a>`);
    });
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { page } = await openPage();
    await page.goto(`${locked.url}/runs/revil`);
    expect(new URL(page.url()).pathname).toBe("/login");
    await page.getByLabel("API key").fill(apiKey);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL("**/runs/revil");
    // The name differs, so for cookies it is another site.
    await page.goto(`http://localhost:${(other.address() as AddressInfo).port}/`);
    await page.getByText("run").click();
    await page.getByRole("button", { name: "Sign out" }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/runs/revil");
    await locked.close();
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
  }, 30_000);
});
