/** The bot's own change is reviewed before people see it: what is grave goes back to the developer once, what stays is said. */
import { afterEach, expect, test } from "vitest";
import { demoTicket, people } from "../../src/stand-ins/acme/acme.ts";
import type { Policy } from "../../src/stand-ins/model/policy.ts";
import { listTurns } from "../../src/store/steps.ts";
import { finish, scenario } from "../support/scenarios.ts";
import { type Story, startStory } from "../support/story.ts";

let story: Story;
afterEach(() => story.close());

type Turns = ReturnType<typeof scenario>["agents"][string];

/** The demo's scenario with this reviewer; `again` is what the developer does about what was found. */
function withReview(reviewer: Turns, again: Turns): Policy {
  const { agents } = scenario({ reviewer });
  return (asked) => {
    const isBack = asked.messages.some(({ role, text }) => role === "user" && text.startsWith("A reviewer read your"));
    const turn = (isBack && asked.agent === "developer" ? again : agents[asked.agent])?.[asked.turn];
    if (turn === undefined) throw new Error(`the ${asked.agent} has no turn ${asked.turn}`);
    return turn;
  };
}

async function delivered(policy: Policy) {
  story = await startStory({ policies: { "SHOP-1": policy } });
  story.acme.jira.createIssue({ ...demoTicket, by: people.mia.accountId });
  story.acme.jira.editLabels("SHOP-1", { add: ["ticketsmith"] }, people.mia.accountId);
  const run = await story.finished("SHOP-1");
  const turns = await listTurns(story.bot.database, run.id);
  const { repository } = story.acme.gitlab.project("acme/shop");
  return {
    run,
    asked: turns.filter(({ step }) => step === "self-review").map(({ agent }) => agent),
    code: (await repository.readBlob("ticketsmith/SHOP-1", "src/discounts.js"))?.toString() ?? "",
    body: story.acme.gitlab.mergeRequests("acme/shop")[0]?.description ?? "",
  };
}

const grave = {
  path: "src/discounts.js",
  from: 16,
  to: 16,
  kind: "error-handling",
  severity: "major",
  confidence: 0.9,
  title: "A missing code fails before it can be refused",
  explanation: "discountFor(undefined) is a TypeError.",
};
const claim = finish({
  title: "Accept discount codes in any case and with blanks around",
  summary: "discountFor looks the trimmed code up in capitals, and refuses a missing one.",
  files: ["src/discounts.js", "test/discounts.test.js"],
  tests: ["test/discounts.test.js"],
});

test("what is grave is mended before anybody sees it", async () => {
  const mending: Turns = [
    {
      calls: [
        {
          tool: "edit_file",
          arguments: {
            path: "src/discounts.js",
            old: "codes.get(code.trim().toUpperCase())",
            new: "codes.get(String(code).trim().toUpperCase())",
          },
        },
        { tool: "run", arguments: { argv: ["node", "--test"] } },
      ],
    },
    { ...claim, expect: "fail 0" },
  ];
  const { run, asked, code, body } = await delivered(withReview([finish({ findings: [grave] })], mending));
  expect(run.state).toBe("done");
  expect(asked).toEqual(["reviewer", "developer", "developer"]);
  expect(code).toContain("String(code).trim()");
  expect(body).not.toContain("A missing code fails");
});

test("what the developer leaves as it is is told in the merge request", async () => {
  const declining = [
    finish({ ...JSON.parse(JSON.stringify(claim.calls?.[0]?.arguments)), summary: "It is right so." }),
  ];
  const { run, body, code } = await delivered(withReview([finish({ findings: [grave] })], declining));
  expect(run.state).toBe("done");
  expect(code).toContain("codes.get(code.trim().toUpperCase())");
  expect(body).toMatch(
    /Worth a second look[\s\S]*src\/discounts\.js:16: A missing code fails before it can be refused \(major/,
  );
});

test("with nothing to say it is one call, and trifles go nowhere", async () => {
  const trifles = [
    { ...grave, severity: "trivia", title: "A trifle" },
    { ...grave, confidence: 0.3, title: "A guess" },
    { ...grave, path: "src/cart.js", title: "Of another file" },
  ];
  const { run, asked, body } = await delivered(withReview([finish({ findings: trifles })], []));
  expect(run.state).toBe("done");
  expect(asked).toEqual(["reviewer"]);
  expect(body).not.toMatch(/A trifle|A guess|Of another file/);
});

test("a reviewer that makes no sense stops nothing, and people are told", async () => {
  const babble: Turns = Array.from({ length: 5 }, (_, i) => ({ say: `I think it is fine. ${i}` }));
  const { run, body } = await delivered(withReview(babble, []));
  expect(run.state).toBe("done");
  expect(body).toContain("No reviewer looked at this change before you");
});
