/** What of a review is said: thresholds, twins, repeats, dismissals, and which threads are closed. */
import { describe, expect, test } from "vitest";
import type { Thread } from "../../../src/domain/merge-request.ts";
import { isDismissal } from "../../../src/steps/review/dismissals.ts";
import { closings, dispose } from "../../../src/steps/review/dispose.ts";
import { lineKeys, pathKey, printIdentity } from "../../../src/steps/review/identity.ts";
import type { Placed } from "../../../src/steps/review/place.ts";
import { closingSubject, dismissersOf, ownThreads } from "../../../src/steps/review/threads.ts";

const bot = { id: "900", name: "ticketsmith" };
const mia = { id: "11", name: "mia" };
const limits = { comments: 10, confidence: 0.6 };
const lines = Array.from({ length: 60 }, (_, index) => `  step(${index + 1});`);

function finding(line: number, more: Partial<Placed> = {}, text: readonly string[] = lines): Placed {
  const path = more.path ?? "src/a.js";
  const kind = more.kind ?? "correctness";
  return {
    identity: { kind, path: pathKey(path), ...lineKeys(text, line) },
    position: { path, oldPath: path, line, oldLine: null },
    path,
    side: "new",
    line,
    movedFrom: null,
    kind,
    severity: "major",
    confidence: 0.9,
    title: `Step ${line} fails when nothing was given`,
    explanation: "Because.",
    suggestion: null,
    ...more,
  };
}

/** The thread that a finding became. */
function thread(from: Placed, more: Partial<Thread> = {}, answers: readonly Thread["notes"][number][] = []): Thread {
  const id = `d${from.path}${from.line}${from.kind}`;
  return {
    id,
    resolvable: true,
    resolved: false,
    resolvedBy: null,
    position: from.position === null ? null : { ...from.position, head: "old" },
    notes: [
      {
        id: 1,
        author: bot,
        marker: `finding:${printIdentity(from.identity)}`,
        body: `**🔴 Major · ${from.kind}:** ${from.title}\n\n${from.explanation}`,
        createdAt: "2026-11-20T10:00:00Z",
      },
      ...answers,
    ],
    ...more,
  };
}

const note = (author: typeof mia, body: string, marker: string | null = null) => ({
  id: 2,
  author,
  body,
  marker,
  createdAt: "2026-11-20T11:00:00Z",
});

function seen(threads: readonly Thread[], text: readonly string[] | null = lines) {
  return ownThreads(threads, {
    selfId: bot.id,
    paths: text === null ? [] : ["src/a.js", "src/b.js"],
    linesOf: () => text,
    mayDismiss: new Set([mia.id]),
  });
}

function disposed(findings: readonly Placed[], threads: readonly Thread[] = [], text: readonly string[] = lines) {
  const known = seen(threads, text);
  const dismissals = known.filter((one) => one.dismissed).map((one) => one.identity);
  return dispose(findings, { known, dismissals }, limits);
}

describe("what is told", () => {
  test.each([
    ["blocker", 0.5, true],
    ["blocker", 0.4, false],
    ["major", 0.6, true],
    ["major", 0.59, false],
    ["minor", 0.7, true],
    ["minor", 0.65, false],
  ] as const)("a %s with confidence %d: %s", (severity, confidence, told) => {
    const { threads, left } = disposed([finding(5, { severity, confidence })]);
    expect(threads).toHaveLength(told ? 1 : 0);
    expect(left.unsure).toBe(told ? 0 : 1);
  });

  test("the gravest become threads, the others a line of the summary", () => {
    const many = Array.from({ length: 14 }, (_, i) =>
      finding(4 * i + 1, { severity: i === 13 ? "blocker" : "minor", kind: "tests" }),
    );
    const { threads, surplus } = disposed(many);
    expect(threads).toHaveLength(10);
    expect(surplus).toHaveLength(4);
    expect(threads[0]?.severity).toBe("blocker");
  });

  test("trifles and matters of taste are no threads", () => {
    const { threads, trivia } = disposed([
      finding(5, { severity: "trivia" }),
      finding(15, { severity: "minor", kind: "style" }),
      finding(25, { severity: "major", kind: "style" }),
    ]);
    expect(trivia.map(({ line }) => line)).toEqual([15, 5]);
    expect(threads.map(({ line }) => line)).toEqual([25]);
  });

  test("what stands on no line is told in the summary", () => {
    expect(disposed([finding(5, { position: null })])).toMatchObject({ threads: [], elsewhere: [{ line: 5 }] });
  });

  test("one fault is told once, however it is named", () => {
    const { threads } = disposed([
      finding(5, { severity: "minor" }),
      finding(6, { severity: "blocker", title: "Worse: fails when nothing was given" }),
      finding(7, { kind: "error-handling", title: "Fails when nothing was given to the step", severity: "minor" }),
      finding(5, { kind: "docs", title: "Nobody wrote down what a negative price means" }),
    ]);
    expect(threads.map(({ title }) => title)).toEqual([
      "Worse: fails when nothing was given",
      "Nobody wrote down what a negative price means",
    ]);
  });
});

describe("nothing is said twice", () => {
  const first = finding(20);
  const pushed = ["// three", "// new", "// lines", ...lines];

  test("the same line further down is the same finding", () => {
    const again = finding(23, { title: "Other words entirely" }, pushed);
    expect(disposed([again], [thread(first)], pushed)).toMatchObject({ threads: [], left: { repeated: 1 } });
  });

  test.each([
    ["open", {}],
    ["resolved by us", { resolved: true, resolvedBy: bot }],
    ["resolved by a person", { resolved: true, resolvedBy: mia }],
    ["no thread at all", { resolvable: false, position: null }],
  ] as const)("neither when it is %s", (_name, more) => {
    expect(disposed([first], [thread(first, more)]).threads).toEqual([]);
  });

  test("a neighbour of the line was changed: still the same finding", () => {
    const changed = lines.with(18, "  other();");
    const again = finding(20, {}, changed);
    expect(again.identity).not.toEqual(first.identity);
    expect(disposed([again], [thread(first)], changed).threads).toEqual([]);
  });

  test("of the same kind near an open thread is the same finding, and far from it another one", () => {
    expect(disposed([finding(22, { title: "Else" })], [thread(first)]).threads).toEqual([]);
    expect(disposed([finding(26, { title: "Else" })], [thread(first)]).threads).toHaveLength(1);
    const closed = thread(first, { resolved: true, resolvedBy: bot });
    expect(disposed([finding(22, { title: "Else" })], [closed]).threads).toHaveLength(1);
  });

  test("of another kind with the same words near an open thread, too", () => {
    expect(disposed([finding(21, { kind: "error-handling", title: first.title })], [thread(first)]).threads).toEqual(
      [],
    );
    expect(disposed([finding(21, { kind: "security", title: "SQL injection" })], [thread(first)]).threads).toHaveLength(
      1,
    );
  });

  test("the line of an open thread was edited and is still wrong: no second thread", () => {
    const edited = lines.with(19, "  step(20, now);");
    const again = finding(20, {}, edited);
    expect(disposed([again], [thread(first)], edited).threads).toEqual([]);
  });

  test("what people wrote does not count as ours, whatever it contains", () => {
    const theirs = thread(first);
    const foreign = { ...theirs, notes: theirs.notes.map((one) => ({ ...one, author: mia, marker: null })) };
    expect(disposed([first], [foreign]).threads).toHaveLength(1);
  });
});

describe("dismissals", () => {
  const first = finding(20);
  const others = [finding(40), finding(40, { path: "src/b.js" }), finding(50, { kind: "security" })];
  const told = (threads: readonly Thread[]) =>
    disposed(others, threads).threads.map(({ path, kind }) => `${path} ${kind}`);

  test("an answer silences the kind in that file", () => {
    const dismissed = thread(first, {}, [note(mia, "That is by design.")]);
    expect(told([dismissed])).toEqual(["src/b.js correctness", "src/a.js security"]);
    expect(disposed(others, [dismissed]).left.dismissed).toBe(1);
  });

  test("so does resolving it without a change, but not with one", () => {
    const resolved = thread(first, { resolved: true, resolvedBy: mia });
    expect(told([resolved])).toHaveLength(2);
    expect(seen([resolved], lines.with(19, "  mended();"))[0]).toMatchObject({ state: "gone", dismissed: false });
  });

  test("the same line in another file is not raised either", () => {
    const dismissed = thread(first, {}, [note(mia, "won't fix")]);
    expect(disposed([finding(20, { path: "src/b.js" })], [dismissed]).threads).toEqual([]);
  });

  test("nobody but people who may can do it, and not the bot itself", () => {
    const otto = { id: "12", name: "otto" };
    expect(told([thread(first, {}, [note(otto, "won't fix")])])).toHaveLength(3);
    expect(told([thread(first, {}, [note(bot, "won't fix")])])).toHaveLength(3);
    expect(
      dismissersOf([thread(first, {}, [note(otto, "won't fix"), note(mia, "Why?"), note(bot, "won't fix")])], bot.id),
    ).toEqual(["12"]);
  });

  test.each([
    "won't fix",
    "Won’t fix, sorry.",
    "This is intended.",
    "works as designed",
    "It's by design",
    "false positive",
    "Not a problem here",
    "This is not an issue.",
    "👎",
    ":-1:",
    "I disagree: rows is never empty.",
    "> quoted\n\nThat's fine.",
    "Really? No. It is on purpose.",
  ])("%j dismisses", (body) => expect(isDismissal(body)).toBe(true));

  test.each([
    "Good catch, will fix",
    "Is this intended?",
    "That was not intended, thanks!",
    "This isn't by design.",
    "I don't disagree",
    "> won't fix\n\nWhy not?",
    "Fixed in abc1234",
    "👍",
    "",
  ])("%j does not", (body) => expect(isDismissal(body)).toBe(false));
});

describe("closing", () => {
  const first = finding(20);
  const closed = (
    text: readonly string[] | null,
    verdict?: "still_there" | "fixed" | "cannot_tell",
    more: Thread = thread(first),
  ) => closings(seen([more], text), new Map(verdict === undefined ? [] : [[more.id, verdict]])).map(({ why }) => why);
  const gone = lines.with(19, "  mended();");
  const touched = lines.with(18, "  guard();");

  test.each([
    ["fixed, and the line is gone", gone, "fixed", ["fixed"]],
    ["fixed, and a neighbour changed", touched, "fixed", ["fixed"]],
    ["fixed, but nothing changed", lines, "fixed", []],
    ["the line is gone, nobody knows", gone, "cannot_tell", ["outdated"]],
    ["the line is gone, nobody was asked", gone, undefined, ["outdated"]],
    ["the line was edited and is still wrong", gone, "still_there", []],
    ["the file is no part of it any more", null, undefined, ["outdated"]],
    ["a neighbour changed, nobody knows", touched, "cannot_tell", []],
    ["still there", lines, "still_there", []],
  ] as const)("%s", (_name, text, verdict, why) => expect(closed(text, verdict)).toEqual(why));

  test("not what is closed already, and not what somebody opened again", () => {
    expect(closed(gone, "fixed", thread(first, { resolved: true, resolvedBy: mia }))).toEqual([]);
    const reopened = thread(first, {}, [note(bot, "Fixed.", `note:${closingSubject(thread(first).id)}`)]);
    expect(closed(gone, "fixed", reopened)).toEqual([]);
  });
});
