/** `improve` says only what can be committed with a click, and where it was asked. */
import { afterEach, expect, test } from "vitest";
import { reviewingBy } from "../../src/stand-ins/model/policies/reviewing.ts";
import { gitlabPerson, requestOf, threadOf } from "../support/gitlab-people.ts";
import { findingOn, findingsOf, runFor } from "../support/reviews.ts";
import { type Story, startStory } from "../support/story.ts";

let story: Story;
afterEach(() => story.close());

const branch = "feature/SHOP-70-names";

const improver = reviewingBy(({ lines }) => {
  const [first, , third] = lines.filter(({ sign }) => sign === "+");
  if (first === undefined || third === undefined) return {};
  return {
    findings: [
      findingOn(first, {
        kind: "maintainability",
        title: "The name says nothing",
        suggestion: 'export const rate = "cents";',
      }),
      findingOn(third, { kind: "correctness", severity: "blocker", title: "Cannot be mended in these lines" }),
      findingOn(third, { kind: "docs", title: "The same again", suggestion: third.text }),
    ],
  };
});

test("one suggestion is left of three findings, and the answer says so", async () => {
  story = await startStory({ scenarios: [], policies: { "*": improver } });
  const mia = gitlabPerson(story.acme, "glpat-mia-gitlab-token");
  await mia.push(branch, { "src/names.js": 'export const x = "cents";\n\nexport const y = x;\n' });
  const { iid } = await mia.open(branch);
  const note = await mia.say(iid, "@ticketsmith improve");
  const run = await runFor(story, { noteId: note });
  expect(run).toMatchObject({ workflow: "improve", state: "done" });
  const [only, ...more] = findingsOf(story, iid);
  expect(more).toEqual([]);
  expect(only).toMatchObject({ at: "src/names.js:1", type: "DiffNote" });
  expect(only?.said[0]).toContain('```suggestion:-0+0\nexport const rate = "cents";\n```');
  expect(threadOf(story.acme, iid, note).notes.at(-1)?.body).toContain("1 suggestion.");
  const notes = requestOf(story.acme, iid).discussions.flatMap((thread) => thread.notes);
  expect(notes.filter(({ body }) => body.includes("note:review"))).toEqual([]);
});
