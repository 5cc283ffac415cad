/** What the scripted model says in a story: the demo's scenario, with some agents exchanged. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import type { Scenario } from "../../src/stand-ins/model/server.ts";

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
