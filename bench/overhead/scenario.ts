/** A scripted model that thinks for no time at all: one small change, one command per agent that runs any. */
import type { AcmeOptions } from "../../src/stand-ins/acme/acme.ts";

type Scenario = NonNullable<AcmeOptions["scenarios"]>[number];

/** A test that costs next to nothing, and fails without the change: otherwise the run would end with a person. */
export const cheapTest = ["grep", "-qs", "toUpperCase", "src/discounts.js"] as const;

const call = (tool: string, args: Readonly<Record<string, unknown>>) => ({ calls: [{ tool, arguments: args }] });

/** For every ticket alike. */
export const scenario: Scenario = {
  ticket: "*",
  agents: {
    analyst: [
      call("read_ticket", {}),
      call("search", { pattern: "discountFor" }),
      call("finish", {
        summary: "Codes count in any case.",
        kind: "bug",
        acceptanceCriteria: ["A code counts in any case"],
        outOfScope: [],
        questions: [],
      }),
    ],
    planner: [
      call("read_file", { path: "src/discounts.js" }),
      call("finish", {
        approach: "Look the code up in capitals.",
        files: [{ path: "src/discounts.js", change: "look the code up in capitals" }],
        tests: ["mixed case"],
        risks: [],
      }),
    ],
    developer: [
      call("read_file", { path: "src/discounts.js" }),
      call("edit_file", { path: "src/discounts.js", old: "codes.get(code)", new: "codes.get(code.toUpperCase())" }),
      call("run", { argv: cheapTest }),
      call("finish", {
        title: "Accept discount codes in any case",
        summary: "Codes are looked up in capitals.",
        files: ["src/discounts.js"],
        tests: [],
      }),
    ],
    reviewer: [call("finish", { findings: [] })],
    qa: [
      call("run", { argv: cheapTest }),
      call("finish", {
        criteria: [{ criterion: 1, verdict: "met", command: 1, evidence: "it ran" }],
        notes: "",
      }),
    ],
    writer: [
      call("finish", {
        title: "Discount codes in any case",
        summary: "Discount codes count in any case.",
        sections: [{ heading: "What changes", markdown: "`spring10` gives the discount of `SPRING10`." }],
      }),
    ],
  },
};
