/** What one row of the route table is. */
import type { Request, Response } from "express";
import { z } from "zod";
import type { Run } from "../../domain/run.ts";
import type { Log } from "../../platform/log.ts";
import type { Policy } from "../../platform/policy.ts";
import type { DeliveryRow } from "../../store/deliveries.ts";
import type { Database } from "../../store/queryable.ts";
import { Problem } from "../problem.ts";

/** What handlers may use. */
export interface ApiServices {
  readonly database: Database;
  readonly cancelRun: (runId: string, reason: string) => Promise<Run | null>;
  /** Decides a delivery again; null when there is none. */
  readonly replay: (deliveryId: string) => Promise<DeliveryRow | null>;
  /** What the budgets are, and of which projects. */
  readonly policy: Pick<Policy, "budgets" | "projects">;
  readonly log: Log;
}

/** One row: what express needs to serve it and what the OpenAPI document says of it. */
export interface ApiRoute {
  readonly method: "get" | "post";
  /** In express' spelling, e.g. `/api/v1/runs/:id`. */
  readonly path: string;
  readonly summary: string;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  /** A schema of `components`: the body, or one event's data when the answer is a stream. */
  readonly answer: z.ZodType;
  readonly content: "application/json" | "text/event-stream";
  /** Statuses of the problems that it may answer with, besides 401 and 500. */
  readonly problems: readonly number[];
  readonly respond: (services: ApiServices, request: Request, response: Response) => Promise<void>;
}

/** Checks a part of the request. Throws a Problem 400 that names the mistake. */
function check<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new Problem(400, mistakes.join("; "));
}

/** Makes a row. Without `stream` the answer is JSON, cut down to exactly what its schema says. */
export function route<Params extends z.ZodObject, Query extends z.ZodObject>(
  spec: {
    readonly method: "get" | "post";
    readonly path: string;
    readonly summary: string;
    readonly params: Params;
    readonly query: Query;
    readonly answer: z.ZodType;
    readonly problems: readonly number[];
  } & (
    | {
        readonly handle: (
          services: ApiServices,
          input: { params: z.output<Params>; query: z.output<Query> },
        ) => unknown | Promise<unknown>;
      }
    | {
        readonly stream: (
          services: ApiServices,
          input: { params: z.output<Params>; query: z.output<Query> },
          request: Request,
          response: Response,
        ) => Promise<void>;
      }
  ),
): ApiRoute {
  return {
    ...spec,
    content: "stream" in spec ? "text/event-stream" : "application/json",
    async respond(services, request, response) {
      const input = {
        params: check<Params>(spec.params, request.params),
        query: check<Query>(spec.query, request.query),
      };
      if ("stream" in spec) return spec.stream(services, input, request, response);
      const value = await spec.handle(services, input);
      // Dates become text on the way; parsing then drops what is none of other people's business.
      response.json(spec.answer.parse(JSON.parse(JSON.stringify(value))));
    },
  };
}

/** For rows without parameters of a kind. */
export const nothing = z.object({});
