/** What the scripted model says in a story: the demo's scenario, with some agents exchanged. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import type { Policy, Scenario } from "../../src/stand-ins/model/server.ts";

const demo = parse(
  readFileSync(path.resolve(import.meta.dirname, "../../src/stand-ins/acme/scenarios/SHOP-1.yaml"), "utf8"),
) as Scenario;

/** The demo's scenario for a ticket; `agents` replaces the turns of those that it names. */
export function scenario(agents: Scenario["agents"] = {}, ticket = "SHOP-1"): Scenario {
  return { ticket, agents: { ...demo.agents, ...agents } };
}

/** One turn that finishes with the given hand-off. */
export function finish(output: Record<string, unknown>): Scenario["agents"][string][number] {
  return { calls: [{ tool: "finish", arguments: output }] };
}

/** The same as a program, with turns of its own for the developer's round of mending. */
export function withMending(
  agents: Scenario["agents"],
  mending: Scenario["agents"][string],
  ticket = "SHOP-1",
): Readonly<Record<string, Policy>> {
  const turns = scenario(agents).agents;
  return {
    [ticket]: (asked) => {
      const isMending = asked.messages.some(({ role, text }) => role === "user" && text.startsWith("Mend your change"));
      const turn = (isMending && asked.agent === "developer" ? mending : turns[asked.agent])?.[asked.turn];
      if (turn === undefined) throw new Error(`the ${asked.agent} has no turn ${asked.turn}`);
      return turn;
    },
  };
}
