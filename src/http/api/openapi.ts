/** The OpenAPI 3.1 document, printed from the route table. Its schemas are JSON Schema 2020-12, as zod prints them. */
import { z } from "zod";
import { titleOf } from "../problem.ts";
import type { ApiRoute } from "./route.ts";
import { components, ProblemAnswer } from "./schemas.ts";

type Json = Readonly<Record<string, unknown>>;

function schemas(): Json {
  const printed = z.toJSONSchema(components, { uri: (id) => `#/components/schemas/${id}` }).schemas;
  return Object.fromEntries(
    Object.entries(printed).map(([id, { $schema: _dialect, $id: _place, ...schema }]) => [id, schema]),
  );
}

function refTo(schema: z.ZodType): Json {
  const id = components.get(schema)?.id;
  if (id === undefined) throw new Error("an answer of the API has no name: register its schema in schemas.ts");
  return { $ref: `#/components/schemas/${id}` };
}

function parameters(place: "path" | "query", schema: z.ZodObject): Json[] {
  return Object.entries(schema.shape).map(([name, field]) => {
    const { $schema: _dialect, description, ...rest } = z.toJSONSchema(field, { io: "input" });
    const about = description === undefined ? {} : { description };
    return { name, in: place, required: place === "path", ...about, schema: rest };
  });
}

function operation(route: ApiRoute): Json {
  const problem = { content: { "application/problem+json": { schema: refTo(ProblemAnswer) } } };
  const problems = [...route.problems, 401, 500].sort();
  return {
    summary: route.summary,
    operationId: `${route.method}${route.path.replace(/[^A-Za-z0-9]+(.)/g, (_all, next: string) => next.toUpperCase())}`,
    parameters: [...parameters("path", route.params), ...parameters("query", route.query)],
    responses: {
      200: { description: "OK", content: { [route.content]: { schema: refTo(route.answer) } } },
      ...Object.fromEntries(problems.map((status) => [status, { description: titleOf(status), ...problem }])),
    },
  };
}

/** `/api/v1/runs/:id` as OpenAPI spells it: `/api/v1/runs/{id}`. */
export function openApiPath(path: string): string {
  return path.replace(/:(\w+)/g, "{$1}");
}

/** The whole document. @throws Error when an answer's schema has no name */
export function createDocument(routes: readonly ApiRoute[]): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const at = openApiPath(route.path);
    paths[at] = { ...paths[at], [route.method]: operation(route) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Ticketsmith", version: "1", description: "Runs, their progress and the inbox of webhooks." },
    security: [{ bearer: [] }, { session: [] }],
    paths,
    components: {
      schemas: schemas(),
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "TICKETSMITH_API_KEY" },
        session: { type: "apiKey", in: "cookie", name: "ticketsmith_session", description: "Set by /login" },
      },
    },
  };
}
