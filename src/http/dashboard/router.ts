/** The dashboard: pages for people, drawn here and complete without JavaScript. */
import { Router } from "express";
import type { OutsideState } from "../../events/standing.ts";
import { redactDeep } from "../../platform/redact.ts";
import type { ApiServices } from "../api/route.ts";
import { apiRoutes } from "../api/routes.ts";
import { runId } from "../api/schemas.ts";
import { Problem } from "../problem.ts";
import { readBudgets, readDeliveries, readProgress, readRun, readRuns, readTurns } from "../records.ts";
import { sendView } from "../view.ts";
import { apiPage } from "./api-page.ts";
import { outsideLines } from "./outside.ts";
import { runListPage } from "./run-list.ts";
import { runPage } from "./run-page.ts";

/** Rows of each table on the first page. */
const shown = { runs: 50, budgets: 20, deliveries: 30 };

function idOf(text: string | undefined): string {
  const id = runId.safeParse(text);
  if (!id.success) throw new Problem(404, "There is no such run.");
  return id.data;
}

/** GET /, GET /runs/:id, POST /runs/:id/cancel and GET /api/docs. */
export function createDashboard(
  services: ApiServices & { readonly jiraUrl: string; readonly outside: () => Promise<readonly OutsideState[]> },
): Router {
  const { database, cancelRun, jiraUrl, policy, outside } = services;
  const router = Router();

  router.get("/", async (_request, response) => {
    const [runs, budgets, deliveries, states] = await Promise.all([
      readRuns(database, shown.runs),
      readBudgets(database, policy),
      readDeliveries(database, shown.deliveries),
      outside(),
    ]);
    const now = new Date();
    sendView(response, "runs", {
      ...runListPage(runs, budgets.slice(0, shown.budgets), deliveries, { jiraUrl, now }),
      outside: outsideLines(redactDeep(states), now),
    });
  });

  router.get("/runs/:id", async (request, response) => {
    const id = idOf(request.params.id);
    // Progress first: whatever is committed after it is announced by a later row, and the page is drawn again.
    const progress = await readProgress(database, id, "0");
    const record = await readRun(database, id);
    const turns = await readTurns(database, id);
    if (record === null || turns === null) throw new Problem(404, "There is no such run.");
    sendView(response, "run", runPage(record, turns, progress, { jiraUrl, now: new Date() }));
  });

  router.post("/runs/:id/cancel", async (request, response) => {
    const id = idOf(request.params.id);
    const stopped = await cancelRun(id, "stopped in the dashboard");
    if (stopped === null && (await readRun(database, id)) === null) throw new Problem(404, "There is no such run.");
    response.redirect(303, `/runs/${id}`);
  });

  router.get("/api/docs", (_request, response) => sendView(response, "api", apiPage(apiRoutes)));

  return router;
}
