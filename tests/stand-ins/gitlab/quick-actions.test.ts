import { expect, test } from "vitest";
import { extractQuickActions } from "../../../src/stand-ins/gitlab/quick-actions.ts";
import { api, bot, branchWithChange, dana, mary, openGitLab, rita } from "./playground.ts";

test.each<[name: string, text: string, actions: string[], rest: string]>([
  ["alone", "/merge", ["merge"], ""],
  ["with an argument", '/label ~bug ~"two words"', ['label ~bug ~"two words"'], ""],
  ["between lines", "before\n/close\nafter", ["close"], "before\nafter"],
  ["in any case, with trailing blanks", "/Approve  \n/CLOSE", ["approve", "close"], ""],
  ["with Windows newlines", "Hi\r\n/close\r\nthere", ["close"], "Hi\nthere"],
  ["several", "/title New\n/draft", ["title New", "draft"], ""],
  ["unknown words stay", "/frobnicate now", [], "/frobnicate now"],
  ["a longer word is not a command", "/mergers are text", [], "/mergers are text"],
  ["paths are not commands", "/close/door.ts", [], "/close/door.ts"],
  ["not indented", " /merge", [], " /merge"],
  ["not escaped", "\\/merge", [], "\\/merge"],
  ["not behind an invisible character", "\u200b/merge", [], "\u200b/merge"],
  ["not in a fence", "```\n/merge\n```", [], "```\n/merge\n```"],
  ["not in an open fence", "```\n/merge", [], "```\n/merge"],
  ["after a fence", "```\nx\n```\n/merge", ["merge"], "```\nx\n```"],
  ["not in a quote block", ">>>\n/merge\n>>>", [], ">>>\n/merge\n>>>"],
  ["not in an HTML block", "<div>\n/merge\n</div>", [], "<div>\n/merge\n</div>"],
  ["not in a quoted line", "> /merge", [], "> /merge"],
  ["not in a list", "- /merge", [], "- /merge"],
])("quick actions: %s", (_name, text, actions, rest) => {
  const found = extractQuickActions(text);
  expect(found.actions.map(({ name, argument }) => `${name} ${argument}`.trim())).toEqual(actions);
  expect(found.text).toBe(rest);
});

test("in a description they run and disappear", async () => {
  const gitlab = await openGitLab();
  await branchWithChange(gitlab, "news");
  const { body } = await api(gitlab, bot, "POST", "merge_requests", {
    title: "News",
    source_branch: "news",
    target_branch: "main",
    description: "Hello\n/label ~urgent\n/approve\nWorld",
  });
  expect(body).toMatchObject({ description: "Hello\nWorld", labels: ["urgent"] });
  expect(gitlab.executedQuickActions.map(({ name, effective, where }) => [name, effective, where])).toEqual([
    ["label", true, "description"],
    ["approve", true, "description"],
  ]);
});

test("a note of nothing but quick actions is not stored", async () => {
  const gitlab = await openGitLab();
  await branchWithChange(gitlab, "news");
  await api(gitlab, bot, "POST", "merge_requests", { title: "News", source_branch: "news", target_branch: "main" });
  const answer = await api(gitlab, dana, "POST", "merge_requests/1/notes", { body: "/title Better news\n/close" });
  expect(answer.status).toBe(202);
  expect(answer.body).toEqual({
    commands_changes: { title: "Better news", state_event: "close" },
    summary: ["Applied title command.", "Applied close command."],
  });
  const { body } = await api(gitlab, dana, "GET", "merge_requests/1");
  expect(body).toMatchObject({ title: "Better news", state: "closed", user_notes_count: 0 });
});

test("they run with the rights of their author only", async () => {
  const gitlab = await openGitLab();
  await branchWithChange(gitlab, "news");
  await api(gitlab, bot, "POST", "merge_requests", { title: "News", source_branch: "news", target_branch: "main" });
  const state = async () => (await api(gitlab, mary, "GET", "merge_requests/1")).body.state;
  await api(gitlab, rita, "POST", "merge_requests/1/notes", { body: "/close" });
  await api(gitlab, dana, "POST", "merge_requests/1/notes", { body: "/merge" });
  expect(await state()).toBe("opened");
  await api(gitlab, mary, "POST", "merge_requests/1/notes", { body: "/merge" });
  expect(await state()).toBe("merged");
  expect(gitlab.executedQuickActions.map(({ effective }) => effective)).toEqual([false, false, true]);
});
