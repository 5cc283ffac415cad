/** The agents there are. */
import type { Agent } from "./agent.ts";
import { analyst } from "./analyst.ts";
import { developer } from "./developer.ts";
import { devops } from "./devops.ts";
import { planner } from "./planner.ts";
import { qa } from "./qa.ts";
import { reviewer } from "./reviewer.ts";
import { writer } from "./writer.ts";

/** In the order in which they work on a ticket. For listings; who runs an agent imports it by name. */
export const agents: readonly Agent<unknown>[] = [analyst, planner, developer, reviewer, qa, devops, writer];
