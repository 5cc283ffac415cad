/** What the scripted model says in the battery: every step with as few turns as possible, for any ticket. */
import type { Scenario } from "../../src/stand-ins/model/server.ts";

const finish = (argumentsObject: Record<string, unknown>) => ({
  calls: [{ tool: "finish", arguments: argumentsObject }],
});

/** Fails in the shop as it was, and passes with the change. */
const proof = 'import { discountFor } from "./src/discounts.js"; if (discountFor("spring10") !== 10) process.exit(1)';

export const anyTicket: Scenario = {
  ticket: "*",
  agents: {
    analyst: [
      finish({
        summary: "Discount codes are to be recognised in any case.",
        kind: "bug",
        acceptanceCriteria: ["A code in lower case gives the same discount as in capitals"],
        outOfScope: [],
        questions: [],
      }),
    ],
    planner: [
      finish({
        approach: "Normalise the code once, before it is looked up.",
        files: [{ path: "src/discounts.js", change: "look up the code in capitals" }],
        tests: ["mixed case"],
        risks: [],
      }),
    ],
    developer: [
      {
        calls: [
          { tool: "read_file", arguments: { path: "src/discounts.js" } },
          {
            tool: "edit_file",
            arguments: {
              path: "src/discounts.js",
              old: "  const percent = codes.get(code);",
              new: "  const percent = codes.get(code.toUpperCase());",
            },
          },
        ],
      },
      finish({
        title: "Accept discount codes in any case",
        summary: "discountFor looks the code up in capitals.",
        files: ["src/discounts.js"],
        tests: [],
      }),
    ],
    reviewer: [finish({ findings: [] })],
    qa: [
      { calls: [{ tool: "run", arguments: { argv: ["node", "--input-type=module", "-e", proof] } }] },
      finish({
        criteria: [{ criterion: 1, verdict: "met", command: 1, evidence: "It ends without an error" }],
        notes: "",
      }),
    ],
    writer: [
      finish({
        title: "Discount codes in any case",
        summary: "Discount codes count in upper, lower and mixed case.",
        sections: [{ heading: "What changes", markdown: "`spring10` gives the discount of `SPRING10`." }],
      }),
    ],
  },
};
