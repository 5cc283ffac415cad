/** All routes of the API, once: express serves this table and the OpenAPI document is printed from it. */
import { z } from "zod";
import { Problem } from "../problem.ts";
import { readBudgets, readDeliveries, readRun, readRuns, readTurns } from "../records.ts";
import { streamProgress } from "./events.ts";
import { createDocument } from "./openapi.ts";
import { type ApiRoute, nothing, route } from "./route.ts";
import {
  BudgetList,
  DeliveryAnswer,
  DeliveryList,
  OpenApiAnswer,
  ProgressAnswer,
  RunAnswer,
  RunDetail,
  RunList,
  runId,
  Transcript,
} from "./schemas.ts";

const limit = z.object({ limit: z.coerce.number().int().min(1).max(200).default(50).describe("Most rows to return") });

const ofRun = z.object({ id: runId });

const noRun = (): Problem => new Problem(404, "There is no such run.");

export const apiRoutes: readonly ApiRoute[] = [
  route({
    method: "get",
    path: "/api/v1/runs",
    summary: "The newest runs, newest first",
    params: nothing,
    query: limit,
    answer: RunList,
    problems: [400],
    handle: async ({ database }, { query }) => ({ runs: await readRuns(database, query.limit) }),
  }),
  route({
    method: "get",
    path: "/api/v1/runs/:id",
    summary: "One run with its steps and its ledger of effects",
    params: ofRun,
    query: nothing,
    answer: RunDetail,
    problems: [400, 404],
    async handle({ database }, { params }) {
      const record = await readRun(database, params.id);
      if (record === null) throw noRun();
      return record;
    },
  }),
  route({
    method: "get",
    path: "/api/v1/runs/:id/events",
    summary: "Progress as server-sent events; Last-Event-ID resumes, the last event is run.ended",
    params: ofRun,
    query: z.object({
      after: z
        .string()
        .regex(/^\d{1,18}$/)
        .default("0")
        .describe("Id of the last event you know"),
    }),
    answer: ProgressAnswer,
    problems: [400, 404, 503],
    stream: (services, { params, query }, request, response) =>
      streamProgress(services, params.id, query.after, request, response),
  }),
  route({
    method: "get",
    path: "/api/v1/runs/:id/transcript",
    summary: "Every model call of a run, oldest first",
    params: ofRun,
    query: nothing,
    answer: Transcript,
    problems: [400, 404],
    async handle({ database }, { params }) {
      const turns = await readTurns(database, params.id);
      if (turns === null) throw noRun();
      return { turns };
    },
  }),
  route({
    method: "post",
    path: "/api/v1/runs/:id/cancel",
    summary: "Stops a run; one that is being worked on ends as soon as its worker hears of it",
    params: ofRun,
    query: nothing,
    answer: RunAnswer,
    problems: [400, 403, 404, 409],
    async handle({ database, cancelRun }, { params }) {
      const stopped = await cancelRun(params.id, "stopped through the API");
      if (stopped !== null) return stopped;
      if ((await readRun(database, params.id)) === null) throw noRun();
      throw new Problem(409, "The run has ended already.");
    },
  }),
  route({
    method: "get",
    path: "/api/v1/deliveries",
    summary: "The newest webhook deliveries and what became of them, newest first",
    params: nothing,
    query: limit,
    answer: DeliveryList,
    problems: [400],
    handle: async ({ database }, { query }) => ({ deliveries: await readDeliveries(database, query.limit) }),
  }),
  route({
    method: "post",
    path: "/api/v1/deliveries/:id/replay",
    summary: "Decides a delivery again, as a delivery of its own; a change that has started a run starts no other",
    params: z.object({ id: z.string().regex(/^\d{1,18}$/, "is not the id of a delivery") }),
    query: nothing,
    answer: DeliveryAnswer,
    problems: [400, 403, 404],
    async handle({ replay }, { params }) {
      const delivery = await replay(params.id);
      if (delivery === null) throw new Problem(404, "There is no such delivery.");
      return delivery;
    },
  }),
  route({
    method: "get",
    path: "/api/v1/budgets",
    summary: "What may be spent, is spent and is held: this month, today's projects, and runs that have not ended",
    params: nothing,
    query: nothing,
    answer: BudgetList,
    problems: [],
    handle: async ({ database, policy }) => ({ budgets: await readBudgets(database, policy) }),
  }),
  route({
    method: "get",
    path: "/api/openapi.json",
    summary: "This description",
    params: nothing,
    query: nothing,
    answer: OpenApiAnswer,
    problems: [],
    handle: () => createDocument(apiRoutes),
  }),
];
