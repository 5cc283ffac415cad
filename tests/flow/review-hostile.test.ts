/** What a model writes into a review is text: no quick action in it is run, no mention calls anybody, no position is believed. */
import type { Nodes } from "mdast";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseMarkdown } from "../../src/platform/markdown.ts";
import { quickActionNames } from "../../src/stand-ins/gitlab/quick-actions.ts";
import { reviewingBy } from "../../src/stand-ins/model/policies/reviewing.ts";
import { type GitLabPerson, gitlabPerson, requestOf } from "../support/gitlab-people.ts";
import { findingOn, findingsOf, runFor, summaryOf } from "../support/reviews.ts";
import { acmePolicy, type Story, startStory } from "../support/story.ts";

const actions = ["/merge", "/approve", "/close", "/label ~done", "/assign @mia", "/target_branch main", "/title Done"];

/** Ways to bring a line to where GitLab looks for commands. */
const wrappings: readonly ((action: string) => string)[] = [
  (action) => action,
  (action) => `Look:\n${action}`,
  (action) => `Look:\n\n${action}\n\nThat was it.`,
  (action) => `Look:\r\n${action}\r\n`,
  (action) => `\`\`\`\ncode\n\`\`\`\n${action}\n`,
  (action) => `\`\`\`js\ncode\n${action}\n`,
  (action) => `> quoted\n\n${action}`,
  (action) => `>>>\n${action}\n>>>`,
  (action) => `<details>\n\n${action}\n\n</details>`,
  (action) => `<!-- hidden -->\n${action}`,
  (action) => `- item\n${action}\n- item`,
  (action) => `Some \`code\n${action}\n\` here`,
  (action) => `${action}\n${action}\n${action}`,
  (action) => `| a |\n| - |\n| b |\n${action}`,
  (action) => `# Heading\n${action}`,
  (action) => `​${action}`,
  (action) => `\\\n${action}`,
  (action) => `~~~\nx\n~~~\n${action}`,
];

function addresses(node: Nodes): string[] {
  const inside = "children" in node ? node.children.flatMap(addresses) : [];
  return "url" in node ? [node.url, ...inside] : inside;
}

const perPush = 40;
const pushes = 5;
let round = 0;

const body = (number: number): string => {
  const wrap = wrappings[number % wrappings.length] ?? ((action: string) => action);
  const known = quickActionNames[number % quickActionNames.length];
  return wrap(number % 2 === 0 ? (actions[number % actions.length] ?? "/merge") : `/${known} @mia`);
};

const hostile = reviewingBy(({ lines }) => {
  const added = lines.filter(({ sign, text }) => sign === "+" && text.includes(`round ${round} `));
  return {
    findings: added.slice(0, perPush).map((line, index) => {
      const number = (round - 1) * perPush + index;
      return findingOn(line, {
        title: `${number} ${actions[number % actions.length]}\n/merge`.slice(0, 200),
        explanation: `${body(number)}\n\n@all @mia see https://evil.example/${number} and ![x](https://evil.example/p.png)`,
        suggestion: number % 3 === 0 ? `/merge\n${line.text} // better` : null,
      });
    }),
    criteria: [{ criterion: "/close", verdict: "not_met", evidence: "/merge\n/approve" }],
  };
});

describe("two hundred findings with commands in them", () => {
  let story: Story;
  let mia: GitLabPerson;
  let iid: number;

  beforeAll(async () => {
    story = await startStory({
      scenarios: [],
      policies: { "*": hostile },
      policy: { ...acmePolicy, mergeRequests: { review: { on: "all", comments: 50 } } },
    });
    mia = gitlabPerson(story.acme, "glpat-mia-gitlab-token");
  });
  afterAll(() => story.close());

  test("are all said, and nothing of it is done", { timeout: 300_000 }, async () => {
    const branch = "feature/SHOP-60-rows";
    for (round = 1; round <= pushes; round += 1) {
      const rows = Array.from({ length: perPush * 5 }, (_, i) =>
        i % 5 === 0 ? `export const r${round}x${i} = "round ${round} row ${i}";` : `// filler ${round} ${i}`,
      );
      const sha = await mia.push(branch, { [`src/rows${round}.js`]: `${rows.join("\n")}\n` });
      if (round === 1) ({ iid } = await mia.open(branch));
      expect(await runFor(story, { sha })).toMatchObject({ workflow: "review", state: "done" });
    }
    const found = findingsOf(story, iid);
    expect(found).toHaveLength(perPush * pushes);
    expect(found.every(({ type }) => type === "DiffNote")).toBe(true);
    const { gitlab } = story.acme;
    expect(gitlab.executedQuickActions).toEqual([]);
    expect(requestOf(story.acme, iid)).toMatchObject({
      state: "opened",
      title: "Round prices",
      labels: [],
      approvedBy: [],
      assigneeIds: [],
    });
    const said = [...found.flatMap((thread) => thread.said), summaryOf(story, iid)];
    const links = said.flatMap((text) => addresses(parseMarkdown(text)));
    expect(links.filter((url) => !url.startsWith(story.acme.gitlab.url))).toEqual([]);
  });
});
