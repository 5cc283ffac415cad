/** Templates: every sentence that a model or a person reads lies in `templates/`, and its variables are strict both ways. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Eta, type TemplateFunction } from "eta";
import * as text from "./template-text.ts";

const directory = join(import.meta.dirname, "..", "..", "templates");

function printed(value: unknown): string {
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new TypeError(`a template may print text and numbers only, not ${value === null ? "null" : typeof value}`);
}

// No HTML escaping: prompts and Markdown are not HTML. Line ends stay; logic tags that stand alone end in `-%>`.
const eta = new Eta({ autoEscape: false, autoFilter: true, filterFunction: printed, autoTrim: false, useWith: false });

/** What every template may call beside its values, e.g. `it.line(it.title)`. */
const functions: Readonly<Record<string, unknown>> = text;

interface Template {
  readonly run: TemplateFunction;
  /** Names read anywhere in the source, in branches not taken too. */
  readonly variables: ReadonlySet<string>;
}

const compiled = new Map<string, Template>();

function load(name: string): Template {
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const source = readFileSync(join(directory, name), "utf8");
  const logic = [...source.matchAll(/<%[\s\S]*?%>/g)].join("\n");
  const named = [...logic.matchAll(/\bit\.([A-Za-z_]\w*)/g)].map((match) => match[1] ?? "");
  const template = {
    run: eta.compile(source),
    variables: new Set(named.filter((variable) => !Object.hasOwn(functions, variable))),
  };
  compiled.set(name, template);
  return template;
}

/**
 * Renders `templates/<name>`. Throws when the template mentions a value that was not given (null is a value), when a value was
 * given that it never mentions, and when it prints anything but text and numbers. `name` comes from code, never from outside.
 */
export function render(name: string, values: Readonly<Record<string, unknown>>): string {
  const template = load(name);
  const given = Object.keys(values).filter((key) => values[key] !== undefined);
  const missing = [...template.variables].filter((variable) => !given.includes(variable));
  const unused = given.filter((key) => !template.variables.has(key));
  if (missing.length > 0) throw new Error(`templates/${name} needs ${missing.join(", ")}`);
  if (unused.length > 0) throw new Error(`templates/${name} never uses ${unused.join(", ")}`);
  try {
    return template.run.call(eta, { ...functions, ...values });
  } catch (error) {
    throw new Error(`templates/${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
