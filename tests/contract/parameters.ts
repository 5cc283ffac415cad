/** What a request says in its path, query and headers, against what its operation takes there. */
import type { LoggedRequest } from "../../src/stand-ins/server.ts";
import { deref, isObject, type JsonObject } from "./descriptions.ts";
import { compile, explain } from "./json-schema.ts";
import type { Found, Parameter } from "./operations.ts";

type Validator = ReturnType<typeof compile>;

const validators = new WeakMap<JsonObject, Validator>();

function validatorOf(document: JsonObject, schema: JsonObject): Validator {
  const made = validators.get(schema) ?? compile(document, schema);
  validators.set(schema, made);
  return made;
}

/** The readings of a text that a schema allows: `"5"` may be a number. */
function readings(document: JsonObject, schema: JsonObject, texts: readonly string[]): unknown[] {
  const { type, items, anyOf, oneOf } = deref(document, schema);
  const branches = [anyOf, oneOf].filter(Array.isArray).flat().filter(isObject);
  if (branches.length > 0) return branches.flatMap((branch) => readings(document, branch, texts));
  const allowed = Array.isArray(type) ? type : [type];
  const [text = "", ...more] = texts;
  if (allowed.includes("array")) {
    const each = isObject(items) ? items : {};
    // Both ways of writing a list are common: `a=1&a=2` and `a=1,2`.
    return [texts.flatMap((one) => one.split(",")).map((one) => readings(document, each, [one])[0])];
  }
  // A single value that is given twice fits nothing.
  if (more.length > 0) return [texts];
  if (/^-?\d+(\.\d+)?$/.test(text) && (allowed.includes("integer") || allowed.includes("number")))
    return [Number(text)];
  if (allowed.includes("boolean") && (text === "true" || text === "false")) return [text === "true"];
  return [text];
}

function misfit(document: JsonObject, { in: place, name, schema }: Parameter, texts: readonly string[]): string[] {
  const validate = validatorOf(document, schema);
  const all = readings(document, schema, texts);
  if (all.some((reading) => validate(reading))) return [];
  return [`${place} parameter ${name}: ${explain(validate.errors).join("; ")}`];
}

function checkQuery(query: URLSearchParams, { operation }: Found): string[] {
  const known = new Map<string, Parameter>();
  for (const one of operation.parameters) if (one.in === "query") known.set(one.name, one);
  const given = new Map<string, string[]>();
  // Rails reads lists only with brackets, and its descriptions leave the brackets out.
  for (const written of new Set(query.keys())) {
    const name = known.has(written) ? written : written.replace(/\[\]$/, "");
    given.set(name, [...(given.get(name) ?? []), ...query.getAll(written)]);
  }
  const { document } = operation.description;
  const unfit = [...given].flatMap(([name, texts]) => {
    const parameter = known.get(name);
    return parameter === undefined ? [`query parameter ${name} is not described`] : misfit(document, parameter, texts);
  });
  const missing = [...known.values()].filter(({ name, required }) => required && !given.has(name));
  return [...unfit, ...missing.map(({ name }) => `query parameter ${name} is missing`)];
}

/** Everything about a request's parameters that its operation does not allow. */
export function checkParameters(request: LoggedRequest, found: Found): string[] {
  const { operation, values } = found;
  const { document } = operation.description;
  const ofPath = operation.parameters
    .filter((one) => one.in === "path")
    .flatMap((one) => misfit(document, one, [values[one.name] ?? ""]));
  const missingHeaders = operation.parameters
    .filter((one) => one.in === "header" && one.required && request.headers[one.name.toLowerCase()] === undefined)
    .map(({ name }) => `header ${name} is missing`);
  return [...ofPath, ...checkQuery(new URLSearchParams(request.query), found), ...missingHeaders];
}
