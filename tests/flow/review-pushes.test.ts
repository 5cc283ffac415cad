/** A merge request is reviewed on every push: nothing is said twice, what is fixed is closed, what nobody wants is left. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reviewingBy, type SeenLine } from "../../src/stand-ins/model/policies/reviewing.ts";
import { type GitLabPerson, gitlabPerson, requestOf } from "../support/gitlab-people.ts";
import { findingOn, findingsOf, runFor, summaryOf } from "../support/reviews.ts";
import { type Story, startStory } from "../support/story.ts";

const branch = "feature/SHOP-50-totals";
const path = "src/total.js";

/** What the reviewer knows for a fault. */
const faults = [
  { pattern: /<= rows\.length/, kind: "correctness", title: "The loop goes one too far" },
  { pattern: /catch \{\}/, kind: "error-handling", title: "The error is swallowed" },
  { pattern: /eval\(/, kind: "security", title: "Text from outside is executed" },
] as const;

let pushes = 0;
/** Finds the same faults on every push, in other words every time. */
const thorough = reviewingBy(({ lines, threads }) => {
  const found = (kind: string): SeenLine[] =>
    lines.filter((line) => line.sign === "+" && faults.some((one) => one.kind === kind && one.pattern.test(line.text)));
  return {
    findings: faults.flatMap(({ kind, title }) =>
      found(kind).map((line) =>
        findingOn(line, {
          kind,
          title: pushes % 2 === 0 ? title : `Look at this: ${line.text.trim()}`,
          suggestion: kind === "correctness" ? line.text.trim().replace("<=", "<") : null,
        }),
      ),
    ),
    threads: threads.map(({ number, kind }) => ({
      thread: number,
      verdict: found(kind).length === 0 ? "fixed" : "still_there",
    })),
  };
});

const total = (first: string, second: string, above: readonly string[] = []): string =>
  [
    ...above,
    "export function total(rows) {",
    "  let sum = 0;",
    first,
    "    sum += rows[i].price;",
    "  }",
    "  try {",
    "    report(sum);",
    second,
    "  return sum;",
    "}",
    "",
  ].join("\n");

const tooFar = "  for (let i = 0; i <= rows.length; i++) {";
const right = "  for (let i = 0; i < rows.length; i++) {";
const swallowed = "  } catch {}";

describe("one merge request, five pushes", () => {
  let story: Story;
  let mia: GitLabPerson;
  let iid: number;

  beforeAll(async () => {
    story = await startStory({ scenarios: [], policies: { "*": thorough } });
    mia = gitlabPerson(story.acme, "glpat-mia-gitlab-token");
    await mia.push(branch, { [path]: total(tooFar, swallowed) });
    ({ iid } = await mia.open(branch));
  });
  afterAll(() => story.close());

  async function pushed(text: string) {
    pushes += 1;
    const run = await runFor(story, { sha: await mia.push(branch, { [path]: text }) });
    expect(run).toMatchObject({ workflow: "review", state: "done" });
    return run;
  }

  test("asked for, it says what is wrong on the lines, with what to put there", async () => {
    const note = await mia.say(iid, "@ticketsmith review");
    const run = await runFor(story, { noteId: note });
    expect(run).toMatchObject({ workflow: "review", state: "done" });
    expect(await story.deeds(run)).toEqual([
      "look/eyes gitlab.award created",
      "post/review gitlab.review created",
      "post/summary gitlab.note created",
      "post/answer gitlab.note created",
    ]);
    const threads = findingsOf(story, iid);
    expect(threads.map(({ at, type }) => [at, type])).toEqual([
      [`${path}:3`, "DiffNote"],
      [`${path}:8`, "DiffNote"],
    ]);
    expect(threads[0]?.said[0]).toContain("The loop goes one too far");
    expect(threads[0]?.said[0]).toContain(`\`\`\`suggestion:-0+0\n${right}\n\`\`\``);
    const answer = requestOf(story.acme, iid).discussions.find(({ notes }) => notes.some(({ id }) => id === note));
    expect(answer?.notes.at(-1)?.body).toContain("2 new findings. The summary is in my note");
    expect(summaryOf(story, iid)).toMatch(/^🔴 \*\*This needs work\.\*\* 2 new findings/);
  });

  test("pushed again with lines above, it finds the same and says nothing", async () => {
    const run = await pushed(total(tooFar, swallowed, ["// Prices are in cents.", "", "// Rows never are null."]));
    expect(findingsOf(story, iid)).toHaveLength(2);
    expect(await story.deeds(run)).toEqual(["post/summary gitlab.note updated"]);
    expect(summaryOf(story, iid)).toContain("nothing new, 2 still open");
  });

  test("what was fixed is closed with a word, what is new is said", async () => {
    const sha = (await pushed(total(right, swallowed, ["const rate = eval(process.argv[2]);"]))).target.sha ?? "";
    const [loop, caught, evaluated, ...more] = findingsOf(story, iid);
    expect(more).toEqual([]);
    expect(loop).toMatchObject({ resolved: true, said: [expect.any(String), `Fixed in \`${sha.slice(0, 12)}\`.`] });
    expect(caught).toMatchObject({ resolved: false, said: [expect.any(String)] });
    expect(evaluated).toMatchObject({ at: `${path}:1`, resolved: false });
    expect(summaryOf(story, iid)).toContain("1 new finding, 1 still open, 1 fixed");
  });

  test("a kind that somebody does not want to hear of is not raised again in that file", async () => {
    const [, caught] = findingsOf(story, iid);
    await mia.say(iid, "Won't fix: reports are best effort.", caught?.id);
    const twice = total(right, swallowed).replace(
      "  return sum;",
      "  try {\n    tell(sum, rows);\n  } catch {} // silent\n  return sum;",
    );
    await pushed(twice);
    const threads = findingsOf(story, iid);
    expect(threads).toHaveLength(3);
    expect(threads[2]).toMatchObject({
      resolved: true,
      said: [expect.any(String), expect.stringContaining("Fixed in")],
    });
    expect(summaryOf(story, iid)).toMatch(
      /✅ \*\*I have no objection\.\*\*[\s\S]*1 finding not raised again, as you wished/,
    );
  });

  test("nor after the line that it was said on is gone; the thread is closed", async () => {
    await pushed(
      total(right, "  } catch { /* best effort */ }").replace(
        "  return sum;",
        "  try {\n    tell(sum);\n  } catch {}\n  return sum;",
      ),
    );
    expect(findingsOf(story, iid)).toHaveLength(3);
    expect(summaryOf(story, iid)).toContain("not raised again, as you wished");
  });
});
