/** Who and what starts, stops or does nothing. */
import { describe, expect, test } from "vitest";

import type { Run } from "../../src/domain/run.ts";
import { causeOf, type Decision, type Facts, type OnTicket, route } from "../../src/events/route.ts";
import { Policy } from "../../src/platform/policy.ts";

const policy = Policy.parse({
  projects: {
    SHOP: { repository: "acme/shop", space: "SHOP", parentPage: "Changes" },
    OPS: { repository: "acme/ops", workflow: "deliver-quietly" },
  },
  triggers: { labels: { ticketsmith: "deliver", "ticketsmith-fast": "fast" } },
  people: { start: { roles: ["Developers"], groups: ["bot-users"], accounts: ["boss"] } },
});
const mia = { id: "mia", name: "Mia" };
const self = { jira: "bot", gitlab: "900" };
const developer = { roles: ["Developers"], groups: [] };
const nobody = { roles: ["Reporters"], groups: ["staff"] };
const run = { id: "r1", state: "running", target: { ticket: "SHOP-1" } } as Run;

const facts = (more: Partial<Facts> = {}): Facts => ({
  self,
  activeRun: null,
  startedRun: null,
  membership: developer,
  ...more,
});
const labelled = (added: string[], more: object = {}): OnTicket => ({
  type: "ticket.labelled",
  ticket: "SHOP-1",
  project: "SHOP",
  actor: mia,
  added,
  ...more,
});
const said = (body: string, more: object = {}): OnTicket => ({
  type: "ticket.commented",
  ticket: "SHOP-1",
  project: "SHOP",
  actor: mia,
  commentId: "10077",
  body,
  self: "",
  ...more,
});
const starts = (workflow: string, ticket = "SHOP-1"): Decision => ({
  kind: "start",
  workflow,
  requestedBy: "mia",
  target: expect.objectContaining({ ticket }) as never,
});
const ignored = (reason: RegExp): Decision => ({ kind: "ignore", reason: expect.stringMatching(reason) as never });

describe("route", () => {
  test.each<[name: string, OnTicket, Facts, Decision]>([
    ["a trigger label starts its workflow", labelled(["ticketsmith"]), facts(), starts("deliver")],
    ["another label its own", labelled(["ticketsmith-fast"]), facts(), starts("fast")],
    ["of two the first of the policy", labelled(["ticketsmith-fast", "ticketsmith"]), facts(), starts("deliver")],
    [
      "the project's workflow wins",
      labelled(["ticketsmith"], { project: "OPS", ticket: "OPS-9" }),
      facts(),
      starts("deliver-quietly", "OPS-9"),
    ],
    [
      "a ticket that is created with the label",
      { ...labelled([]), type: "ticket.created", labels: ["ticketsmith"] } as OnTicket,
      facts(),
      starts("deliver"),
    ],
    [
      "a group may start, too",
      labelled(["ticketsmith"]),
      facts({ membership: { roles: [], groups: ["bot-users"] } }),
      starts("deliver"),
    ],
    [
      "an account may start, too",
      labelled(["ticketsmith"], { actor: { id: "boss", name: "Boss" } }),
      facts({ membership: nobody }),
      { ...starts("deliver"), requestedBy: "boss" } as Decision,
    ],
    [
      "others may not",
      labelled(["ticketsmith"]),
      facts({ membership: nobody }),
      ignored(/Mia \(mia\) may not start runs/),
    ],
    [
      "a name proves nothing",
      labelled(["ticketsmith"], { actor: { id: "evil", name: "boss" } }),
      facts({ membership: nobody }),
      ignored(/may not start/),
    ],
    ["nobody in particular may not", labelled(["ticketsmith"], { actor: null }), facts(), ignored(/nobody is named/)],
    [
      "who it is must be known first",
      labelled(["ticketsmith"]),
      facts({ membership: undefined }),
      { kind: "ask", account: "mia", project: "SHOP" },
    ],
    [
      "the bot's own labels",
      labelled(["ticketsmith"], { actor: { id: "bot", name: "Ticketsmith" } }),
      facts(),
      ignored(/own doing/),
    ],
    [
      "another project",
      labelled(["ticketsmith"], { project: "HR" }),
      facts(),
      ignored(/HR is not in the configuration/),
    ],
    ["another label", labelled(["urgent"]), facts(), ignored(/no trigger among the labels: urgent/)],
    ["labels count in their case", labelled(["Ticketsmith"]), facts(), ignored(/no trigger/)],
    ["a run is at work already", labelled(["ticketsmith"]), facts({ activeRun: run }), ignored(/run r1 is at work/)],
    [
      "what asked for it is kept with the run",
      labelled(["ticketsmith"], { changeId: "10442" }),
      facts(),
      { ...starts("deliver"), cause: "jira:10442" } as Decision,
    ],
    [
      "the same change told again, after its run has ended",
      labelled(["ticketsmith"], { changeId: "10442" }),
      facts({ startedRun: "r1" }),
      ignored(/this change started run r1 already/),
    ],
    [
      "taking the label off stops the run",
      { ...labelled([]), type: "ticket.unlabelled", removed: ["ticketsmith"] } as OnTicket,
      facts({ activeRun: run }),
      { kind: "cancel", runId: "r1", reason: "label ticketsmith was removed" },
    ],
    [
      "taking it off without a run",
      { ...labelled([]), type: "ticket.unlabelled", removed: ["ticketsmith"] } as OnTicket,
      facts(),
      ignored(/no trigger label/),
    ],
    [
      "deleting the ticket stops the run",
      { type: "ticket.deleted", ticket: "SHOP-1", project: "SHOP", actor: mia },
      facts({ activeRun: run }),
      { kind: "cancel", runId: "r1", reason: "the ticket was deleted" },
    ],
    ["a comment", said("ticketsmith"), facts({ activeRun: run }), ignored(/nothing to do .* no command/)],
    [
      "a command of the bot itself",
      said("/ticketsmith stop", { actor: { id: "bot", name: "T" } }),
      facts(),
      ignored(/own doing/),
    ],
    [
      "more budget",
      said("@ticketsmith budget +2.50"),
      facts({ activeRun: run }),
      { kind: "raise", runId: "r1", usd: 2.5, by: "mia", cause: "jira:comment:10077" },
    ],
    [
      "more budget, by whom must be known first",
      said("@ticketsmith budget +2"),
      facts({ activeRun: run, membership: undefined }),
      { kind: "ask", account: "mia", project: "SHOP" },
    ],
    [
      "more budget, by somebody who may not",
      said("@ticketsmith budget +2"),
      facts({ activeRun: run, membership: nobody }),
      ignored(/Mia \(mia\) may not start runs, nor steer them/),
    ],
    [
      "more budget, by nobody",
      said("/ticketsmith budget +2", { actor: null }),
      facts({ activeRun: run }),
      ignored(/nobody is named/),
    ],
    ["more budget without a run", said("@ticketsmith budget +2"), facts(), ignored(/no run at work on SHOP-1/)],
    ["too much more budget", said("@ticketsmith budget +21"), facts({ activeRun: run }), ignored(/\$20 at most/)],
    ["more budget, but how much?", said("@ticketsmith budget"), facts({ activeRun: run }), ignored(/how much more/)],
    [
      "a command in a project that is not ours",
      said("@ticketsmith stop", { project: "HR" }),
      facts({ activeRun: run }),
      ignored(/HR is not/),
    ],
    [
      "stop",
      said("/ticketsmith stop"),
      facts({ activeRun: run }),
      { kind: "cancel", runId: "r1", reason: "Mia asked to stop" },
    ],
    [
      "stop, by somebody who may not",
      said("/ticketsmith stop"),
      facts({ activeRun: run, membership: nobody }),
      ignored(/may not/),
    ],
    [
      "a command for merge requests",
      said("@ticketsmith review"),
      facts({ activeRun: run }),
      ignored(/review is not known on tickets/),
    ],
    [
      "a slip of the pen",
      said("@ticketsmith budgte +2"),
      facts({ activeRun: run }),
      ignored(/"budgte" is not known, did you mean budget\?/),
    ],
  ])("%s", (_name, event, given, expected) => {
    expect(route(event, given, policy)).toEqual(expected);
  });

  test("changes and creations are told apart by their cause", () => {
    expect(causeOf(labelled(["a"], { changeId: "1" }))).toBe("jira:1");
    expect(causeOf(labelled(["a"], { type: "ticket.created", labels: [], changeId: "created:1" }))).toBe(
      "jira:created:1",
    );
    expect(causeOf(labelled(["a"]))).toBeNull();
  });

  test("is pure: the same again", () => {
    const event = labelled(["ticketsmith"]);
    expect(route(event, facts(), policy)).toEqual(route(event, facts(), policy));
  });
});
