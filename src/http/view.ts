/** The pages: eta templates in `views/`, everything printed is escaped. */
import path from "node:path";
import { Eta } from "eta";
import type { Response } from "express";
import type { ApiPage } from "./dashboard/api-page.ts";
import type { OutsideLine } from "./dashboard/outside.ts";
import type { RunListPage } from "./dashboard/run-list.ts";
import type { RunPage } from "./dashboard/run-page.ts";
import { titleOf } from "./problem.ts";

/** What each page needs to be drawn. */
export interface Views {
  readonly runs: RunListPage & { readonly outside: readonly OutsideLine[] };
  readonly run: RunPage;
  readonly api: ApiPage;
  readonly login: { readonly next: string; readonly wrong: boolean };
  readonly bounce: { readonly next: string };
  readonly problem: { readonly status: number; readonly title: string; readonly detail: string };
}

function printed(value: unknown): string {
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new TypeError(`a page may print text and numbers only, not ${value === null ? "null" : typeof value}`);
}

const eta = new Eta({
  views: path.join(import.meta.dirname, "views"),
  autoEscape: true,
  autoFilter: true,
  filterFunction: printed,
  useWith: false,
  cache: true,
});

/** Answers with a page. The status is the response's own. */
export function sendView<Name extends keyof Views>(response: Response, name: Name, page: Views[Name]): void {
  const canSignOut = response.app.locals.canSignOut === true;
  response.type("html").send(eta.render(`./${name}`, { ...page, canSignOut }));
}

/** Answers with a page that says what went wrong. */
export function sendProblemPage(response: Response, status: number, detail: string): void {
  sendView(response.status(status), "problem", { status, title: titleOf(status), detail });
}
