/** A webhook that GitLab has switched off is noticed, mended, or told of once. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createHookWatch, type HookWatch } from "../../src/events/hook-watch.ts";
import { createGitLab } from "../../src/integrations/gitlab/gitlab.ts";
import { type Log, silentLog } from "../../src/platform/log.ts";
import { type GitLabStandIn, startGitLab } from "../../src/stand-ins/gitlab/gitlab.ts";

const repository = "acme/shop";
let gitlab: GitLabStandIn;
let receiver: Server;
/** What our door answers. */
let status: number;
let received: number;
let publicUrl: string;
let said: string[];
const log: Log = {
  ...silentLog,
  warn: (message) => said.push(`warn ${message}`),
  info: (message) => said.push(`info ${message}`),
};

beforeEach(async () => {
  status = 202;
  received = 0;
  said = [];
  receiver = createServer((request, response) => {
    received += 1;
    request.resume();
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  publicUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  gitlab = await startGitLab({
    projects: [{ path: repository, files: { "README.md": "Shop" } }],
    users: [{ id: 12, username: "dev", token: "glpat-developer", accessLevels: { [repository]: 30 } }],
    bot: { id: 900, username: "bot", token: "glpat-maintainer", accessLevels: { [repository]: 40 } },
    autoDisable: true,
  });
});
afterEach(async () => {
  expect(gitlab.unknown).toEqual([]);
  await gitlab.close();
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});

function watch(more: { token?: string; dryRun?: boolean } = {}): HookWatch {
  const token = more.token ?? "glpat-maintainer";
  const hooks = createGitLab({ baseUrl: gitlab.baseUrl, token, log: silentLog });
  return createHookWatch({
    hooks,
    repositories: [repository, repository],
    publicUrl,
    dryRun: more.dryRun ?? false,
    log,
  });
}
const hook = () => gitlab.project(repository).hooks[0]!;

/** Sends `times` samples through the webhook, as somebody who presses Test in the settings. */
async function press(times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    const path = `${gitlab.baseUrl}/api/v4/projects/acme%2Fshop/hooks/${hook().id}/test/push_events`;
    await fetch(path, { method: "POST", headers: { "private-token": "glpat-maintainer" } });
  }
}
/** Makes a branch, which GitLab tells of. */
async function push(branch: string): Promise<void> {
  await fetch(`${gitlab.baseUrl}/api/v4/projects/acme%2Fshop/repository/branches?branch=${branch}&ref=main`, {
    method: "POST",
    headers: { "private-token": "glpat-maintainer" },
  });
  await gitlab.idle();
}
const shown = async () => {
  const path = `${gitlab.baseUrl}/api/v4/projects/acme%2Fshop/hooks/${hook().id}`;
  const answer = await fetch(path, { headers: { "private-token": "glpat-maintainer" } });
  return ((await answer.json()) as { alert_status: string }).alert_status;
};
const connect = () => gitlab.addWebhook({ url: `${publicUrl}/webhooks/gitlab`, secretToken: "secret" });

describe("the stand-in switches webhooks off as GitLab does", () => {
  test("four failures for a while, forty for good, one success for on again", async () => {
    connect();
    status = 500;
    await press(3);
    expect(await shown()).toBe("executable");
    await press(1);
    expect(await shown()).toBe("temporarily_disabled");
    await press(36);
    expect(await shown()).toBe("disabled");
    status = 200;
    await push("while-off");
    expect(received).toBe(40);
    await press(1);
    expect(await shown()).toBe("executable");
    await push("when-on");
    expect(received).toBe(42);
  });
});

describe("the watch", () => {
  test("finds nothing wrong with a webhook that works, and says so once", async () => {
    connect();
    const watching = watch();
    await watching.look();
    await watching.look();
    expect(watching.health()).toEqual(new Map([[repository, "working"]]));
    expect(said).toEqual(["info the webhook of a repository works"]);
    expect(received).toBe(0);
  });

  test.each([
    [4, "temporarily_disabled"],
    [40, "disabled"],
  ])("switches a webhook on again that failed %i times", async (times, state) => {
    connect();
    status = 500;
    await press(times);
    expect(await shown()).toBe(state);
    status = 202;
    const watching = watch();
    await watching.look();
    expect(await shown()).toBe("executable");
    expect(watching.health().get(repository)).toBe("working");
    expect(said).toEqual([expect.stringMatching(/^warn GitLab had switched the webhook off.* it is on again/)]);
  });

  test("tells once what it cannot mend, and tries again at every look", async () => {
    connect();
    status = 500;
    await press(4);
    const watching = watch();
    await watching.look();
    await watching.look();
    expect(watching.health().get(repository)).toBe("off");
    expect(said).toEqual([expect.stringMatching(/^warn GitLab has switched the webhook off and could not reach us/)]);
    expect(received).toBe(6);
    status = 202;
    await watching.look();
    expect(watching.health().get(repository)).toBe("working");
    expect(said).toHaveLength(2);
  });

  test("sends nothing in a dry run", async () => {
    connect();
    status = 500;
    await press(4);
    const watching = watch({ dryRun: true });
    await watching.look();
    expect(watching.health().get(repository)).toBe("off");
    expect(received).toBe(4);
  });

  test("leaves the webhooks of others alone", async () => {
    gitlab.addWebhook({ url: `${publicUrl}/chat`, secretToken: "secret" });
    status = 500;
    await press(4);
    const watching = watch();
    await watching.look();
    expect(watching.health().get(repository)).toBe("missing");
    expect(received).toBe(4);
  });

  test("says once that a Developer's token may not look", async () => {
    connect();
    const watching = watch({ token: "glpat-developer" });
    await watching.look();
    await watching.look();
    expect(watching.health().get(repository)).toBe("unseen");
    expect(said).toEqual([expect.stringMatching(/^info the webhook of a repository cannot be watched/)]);
  });
});
