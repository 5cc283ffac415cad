/** The API's route table for people. */
import { openApiPath } from "../api/openapi.ts";
import type { ApiRoute } from "../api/route.ts";
import { titleOf } from "../problem.ts";

export interface ApiPage {
  readonly routes: readonly {
    readonly method: string;
    readonly path: string;
    readonly summary: string;
    readonly query: string;
    readonly content: string;
    readonly problems: string;
  }[];
}

/** One line per row of the table. */
export function apiPage(routes: readonly ApiRoute[]): ApiPage {
  return {
    routes: routes.map((route) => ({
      method: route.method.toUpperCase(),
      path: openApiPath(route.path),
      summary: route.summary,
      query: Object.keys(route.query.shape).join(", "),
      content: route.content,
      problems: route.problems.map((status) => `${status} ${titleOf(status)}`).join(", "),
    })),
  };
}
