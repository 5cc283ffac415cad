/** Express routes from the table. */
import { Router } from "express";
import { Problem } from "../problem.ts";
import type { ApiServices } from "./route.ts";
import { apiRoutes } from "./routes.ts";

/** Serves every row of the table; other methods on its paths are 405, other paths under /api are 404. */
export function createApi(services: ApiServices): Router {
  const router = Router();
  for (const { method, path, respond } of apiRoutes) {
    router[method](path, (request, response) => respond(services, request, response));
  }
  for (const path of new Set(apiRoutes.map((each) => each.path))) {
    const allowed = apiRoutes.filter((each) => each.path === path).map((each) => each.method.toUpperCase());
    router.all(path, (_request, response) => {
      response.set("allow", allowed.join(", "));
      throw new Problem(405, `Only ${allowed.join(" and ")} can be done here.`);
    });
  }
  router.all("/api/{*rest}", () => {
    throw new Problem(404, "There is nothing here. /api/openapi.json lists what there is.");
  });
  return router;
}
