import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Parsed } from "../../src/domain/event.ts";
import { Event } from "../../src/domain/event.ts";
import { parseJira } from "../../webhooks/jira/parse.ts";
import { fixture } from "./requests.ts";

const mina = { id: "712020:0b6c1f52-6a0e-4c5e-9a70-2f1f6f3f9c11", name: "Mina Okafor" };
const tomas = { id: "712020:9e21d7a4-1c0b-47b6-8a4d-51f0a2f7d302", name: "Tomas Lind" };
const minaOnDataCenter = { id: "JIRAUSER10207", name: "Mina Okafor" };
const ferry = { ticket: "FERRY-128", project: "FERRY" };

const table: Record<string, Parsed> = {
  ticket_labelled_cloud: {
    event: { type: "ticket.labelled", ...ferry, actor: mina, changeId: "20931", added: ["ticketsmith"] },
  },
  ticket_labelled_and_moved_in_one_edit: {
    event: { type: "ticket.labelled", ...ferry, actor: mina, changeId: "20932", added: ["ticketsmith"] },
  },
  ticket_labelled_data_center: {
    event: {
      type: "ticket.labelled",
      ticket: "PIER_2-7",
      project: "PIER_2",
      actor: minaOnDataCenter,
      changeId: "55120",
      added: ["ticketsmith"],
    },
  },
  ticket_unlabelled_cloud: { event: { type: "ticket.unlabelled", ...ferry, actor: tomas, removed: ["ticketsmith"] } },
  ticket_transitioned_with_translated_field_name: {
    event: { type: "ticket.transitioned", ...ferry, actor: tomas, from: "Pågår", to: "Klart" },
  },
  ticket_assigned_cloud: { event: { type: "ticket.assigned", ...ferry, actor: mina, assignee: tomas.id } },
  ticket_edited_in_a_custom_field_called_labels: {
    event: { type: "ticket.edited", ...ferry, actor: mina, fields: ["customfield_10077", "description"] },
  },
  ticket_created_with_labels_cloud: {
    event: {
      type: "ticket.created",
      ...ferry,
      actor: mina,
      changeId: "created:10458",
      labels: ["ticketsmith-analyse", "timetable"],
    },
  },
  ticket_deleted_cloud: { event: { type: "ticket.deleted", ...ferry, actor: tomas } },
  comment_created_cloud_with_trimmed_issue: {
    event: {
      type: "ticket.commented",
      ...ferry,
      actor: mina,
      commentId: "30417",
      body: "@ticketsmith approve\n\nLooks right, but keep the old endpoint.",
      self: "https://harbour.atlassian.net/rest/api/2/issue/10458/comment/30417",
    },
  },
  comment_created_server_without_issue: {
    event: {
      type: "ticket.commented",
      ticket: "",
      project: "",
      actor: minaOnDataCenter,
      commentId: "41077",
      body: "/ticketsmith status",
      self: "https://jira.harbour.example/jira/rest/api/2/issue/24019/comment/41077",
    },
  },
  comment_told_twice_by_data_center: {
    ignored: "Data Center's second message about a comment: comment_created tells it",
  },
  comment_edited_cloud: { ignored: "an edited comment: commands are read once, when written" },
  issues_linked: { ignored: "links between issues are read when they are needed" },
};

describe("what Jira's messages mean", () => {
  test("the table has every fixture", () => {
    const files = readdirSync(new URL("../../webhooks/jira/fixtures", import.meta.url));
    expect(files.map((file) => file.replace(".json", "")).sort()).toEqual(Object.keys(table).sort());
  });

  test.each(Object.entries(table))("%s", (name, expected) => {
    const parsed = parseJira({}, JSON.parse(fixture("jira", name)));
    expect(parsed).toEqual(expected);
    if ("event" in parsed) expect(Event.parse(parsed.event)).toEqual(parsed.event);
  });
});

/** `jira:issue_updated` with these changes. `toString` is an own property, as in the real thing. */
function updated(items: readonly object[], more: object = {}): unknown {
  const issue = { id: "1", key: "FERRY-1", fields: { project: { key: "FERRY" } } };
  return { webhookEvent: "jira:issue_updated", issue, changelog: { id: "9", items }, ...more };
}
const labels = (from: string | null, to: string | null, field = "labels", fieldId?: string) => ({
  field,
  ...(fieldId === undefined ? {} : { fieldId }),
  fromString: from,
  toString: to,
});

describe("changes", () => {
  const about = { ticket: "FERRY-1", project: "FERRY", actor: null };
  const cases: readonly (readonly [name: string, items: readonly object[], expected: object])[] = [
    [
      "one label swapped for another is a label added",
      [labels("a b", "b c")],
      { type: "ticket.labelled", changeId: "9", added: ["c"] },
    ],
    ["labels in another order are no labels", [labels("a b", "b a")], { type: "ticket.edited", fields: ["labels"] }],
    ["null for no labels", [labels(null, "a")], { type: "ticket.labelled", changeId: "9", added: ["a"] }],
    ["null for no labels left", [labels("a", null)], { type: "ticket.unlabelled", removed: ["a"] }],
    [
      "a label is its whole word",
      [labels("ticketsmith-done", "ticketsmith")],
      { type: "ticket.labelled", changeId: "9", added: ["ticketsmith"] },
    ],
    [
      "case counts in labels",
      [labels("ticketsmith", "Ticketsmith")],
      { type: "ticket.labelled", changeId: "9", added: ["Ticketsmith"] },
    ],
    [
      "Cloud with a translated name",
      [labels("", "a", "Метки", "labels")],
      { type: "ticket.labelled", changeId: "9", added: ["a"] },
    ],
    [
      "a text equal to a label is no label",
      [{ field: "summary", toString: "ticketsmith" }],
      { type: "ticket.edited", fields: ["summary"] },
    ],
    [
      "transition wins over assignee",
      [
        { field: "assignee", fieldId: "assignee", to: "x", toString: "X" },
        { field: "status", fieldId: "status", fromString: "A", toString: "B" },
      ],
      { type: "ticket.transitioned", from: "A", to: "B" },
    ],
    [
      "assignee wins over labels removed",
      [labels("a", ""), { field: "assignee", from: "x", fromString: "X", to: null, toString: null }],
      { type: "ticket.assigned", assignee: null },
    ],
    [
      "labels removed win over an edit",
      [{ field: "summary", toString: "s" }, labels("a", "")],
      { type: "ticket.unlabelled", removed: ["a"] },
    ],
    [
      "names that every object inherits are no fields",
      [{ field: "Rank" }],
      { type: "ticket.edited", fields: ["Rank"] },
    ],
  ];
  test.each(cases)("%s", (_name, items, expected) => {
    expect(parseJira({}, updated(items))).toEqual({ event: { ...about, ...expected } });
  });

  test.each([
    ["a number", 9, { changeId: "9" }],
    ["missing", undefined, {}],
    ["no id", "9\0 or 'x'", {}],
    ["too long to be one", "9".repeat(65), {}],
  ])("a changelog whose id is %s", (_name, id, expected) => {
    const body = updated([], { changelog: { id, items: [labels("", "a")] } });
    expect(parseJira({}, body)).toEqual({ event: { type: "ticket.labelled", ...about, ...expected, added: ["a"] } });
  });

  test("a comment with a label added in the same edit is a label added", () => {
    const body = updated([labels("", "ticketsmith")], {
      issue_event_type_name: "issue_commented",
      comment: { id: "1" },
    });
    expect(parseJira({}, body)).toMatchObject({ event: { type: "ticket.labelled" } });
  });

  test.each([
    ["issue_comment_edited", "an edited or deleted comment"],
    ["issue_worklog_updated", "work logs are not our business"],
    ["issue_updated", "no field changed"],
  ])("no change and %s", (type, ignored) => {
    expect(parseJira({}, updated([], { issue_event_type_name: type }))).toEqual({ ignored });
  });
});

describe("people", () => {
  const created = (user: unknown) => ({ webhookEvent: "jira:issue_created", user, issue: { key: "FERRY-1" } });
  test.each([
    [
      { accountId: "a", key: "k", name: "n", displayName: "D" },
      { id: "a", name: "D" },
    ],
    [
      { key: "k", name: "n", displayName: "D" },
      { id: "k", name: "D" },
    ],
    [{ name: "n" }, { id: "n", name: "n" }],
    // Permissions go by id: a name that anybody can choose must not become one.
    [{ displayName: "Administrator" }, null],
    [{}, null],
    [null, null],
    [undefined, null],
  ])("%j", (user, actor) => {
    expect(parseJira({}, created(user))).toMatchObject({ event: { actor, project: "FERRY", labels: [] } });
  });
});

describe("bodies that are not as documented", () => {
  test.each([
    [null, "webhookEvent: the message has no name"],
    [[], "webhookEvent: the message has no name"],
    [{ webhookEvent: 7 }, "webhookEvent: the message has no name"],
    [{ webhookEvent: "" }, "a message without a name is not a message we know"],
    [{ webhookEvent: "toString" }, "toString is not a message we know"],
    [{ webhookEvent: "jira:issue_teleported" }, "jira:issue_teleported is not a message we know"],
    [{ webhookEvent: "jira:issue_updated" }, /^issue: /],
    [{ webhookEvent: "jira:issue_updated", issue: { key: 5 } }, /^issue\.key: /],
    [
      { webhookEvent: "jira:issue_updated", issue: { key: "A-1" }, changelog: { items: [7] } },
      /^changelog\.items\.0\.field: /,
    ],
    [{ webhookEvent: "comment_created", comment: { self: "s", id: "1" } }, /^comment\.body: /],
  ])("%j", (body, reason) => {
    expect(parseJira({}, body)).toEqual({
      unsupported: reason instanceof RegExp ? expect.stringMatching(reason) : reason,
    });
  });

  test("a connection test is no riddle", () => {
    expect(parseJira({}, { test: true })).toEqual({ ignored: "a connection test" });
  });

  test("text that Postgres could not store is mended", () => {
    const body = {
      webhookEvent: "comment_created",
      comment: { self: "s", id: "1", body: "a\0b\ud800c", author: { key: "k" } },
    };
    expect(parseJira({}, body)).toMatchObject({ event: { body: "ab\ufffdc" } });
  });
});
