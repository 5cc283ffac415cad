/** Which operation of a service a request is for, and what that operation takes, whichever format describes it. */
import { type Description, deref, isObject, type JsonObject } from "./descriptions.ts";

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly schema: JsonObject;
}

export interface Operation {
  readonly description: Description;
  /** As in the document, e.g. `/pages/{id}`. */
  readonly template: string;
  readonly parameters: readonly Parameter[];
  /** null: it takes no body. `content`: schema per media type. */
  readonly body: { readonly required: boolean; readonly content: Readonly<Record<string, unknown>> } | null;
}

export interface Found {
  readonly operation: Operation;
  /** Decoded values of the path's parameters. */
  readonly values: Readonly<Record<string, string>>;
}

interface Template {
  readonly description: Description;
  readonly template: string;
  readonly segments: readonly string[];
  /** How many segments are open: the fewer, the better a match. */
  readonly open: number;
  readonly item: JsonObject;
}

export interface Operations {
  /** The operation of a request; `undefined` when no path fits, `null` when one does but not with this method. */
  find(method: string, path: string): Found | null | undefined;
}

/** Names and values of the open parts of a segment; undefined when it does not fit. `{a}.{b}` happens. */
function matchSegment(pattern: string, segment: string): Record<string, string> | undefined {
  if (!pattern.includes("{")) return pattern === segment ? {} : undefined;
  const names = [...pattern.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name ?? "");
  const source = pattern
    .split(/\{[^}]+\}/)
    .map((text) => text.replace(/[.*+?^$()|[\]\\]/g, "\\$&"))
    .join("(.+?)");
  const values = new RegExp(`^${source}$`).exec(segment)?.slice(1);
  if (values === undefined) return undefined;
  return Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(values[at] ?? "")]));
}

function matchPath(segments: readonly string[], path: readonly string[]): Record<string, string> | undefined {
  const values: Record<string, string> = {};
  for (const [at, pattern] of segments.entries()) {
    const found = matchSegment(pattern, path[at] ?? "");
    if (found === undefined) return undefined;
    Object.assign(values, found);
  }
  return values;
}

/** `a[b][c]` of a form, as the object that it stands for. */
function nest(target: Record<string, unknown>, name: string, schema: unknown): void {
  const [first = "", ...rest] = name.split("[").map((part) => part.replace("]", ""));
  if (rest.length === 0) {
    target[first] = schema;
    return;
  }
  target[first] ??= { type: "object", properties: {} };
  const { properties } = target[first] as { properties?: Record<string, unknown> };
  if (properties !== undefined) nest(properties, rest.join("["), schema);
}

/** GitLab turns such strings into lists itself and says so only in the prose. */
function orCommaSeparated(schema: JsonObject): JsonObject {
  const isText = schema.type === "array" && /comma[- ]separated/i.test(String(schema.description));
  return isText ? { anyOf: [schema, { type: "string" }] } : schema;
}

function swaggerBody(document: JsonObject, parameters: readonly JsonObject[]): Operation["body"] {
  const whole = parameters.find((one) => one.in === "body");
  if (whole !== undefined) {
    const schema = deref(document, whole.schema);
    const fields = isObject(schema.properties) ? Object.entries(schema.properties) : [];
    const properties = Object.fromEntries(
      fields.map(([name, one]) => [name, isObject(one) ? orCommaSeparated(one) : one]),
    );
    const read = fields.length === 0 ? schema : { ...schema, properties };
    return { required: whole.required === true, content: { "application/json": read } };
  }
  const fields = parameters.filter((one) => one.in === "formData");
  if (fields.length === 0) return null;
  const properties: Record<string, unknown> = {};
  for (const field of fields) nest(properties, String(field.name), orCommaSeparated({ ...field, required: undefined }));
  const required = fields.filter((one) => one.required === true).map((one) => String(one.name));
  // Whatever is described as a form, GitLab takes as JSON too, unless there is a file in it.
  const json = { type: "object", properties, required: required.filter((name) => !name.includes("[")) };
  return { required: required.length > 0, content: { "application/json": json, "multipart/form-data": undefined } };
}

function openApiBody(document: JsonObject, operation: JsonObject): Operation["body"] {
  if (operation.requestBody === undefined) return null;
  const body = deref(document, operation.requestBody);
  const content = isObject(body.content) ? Object.entries(body.content) : [];
  return {
    required: body.required === true,
    content: Object.fromEntries(content.map(([type, one]) => [type, isObject(one) ? one.schema : undefined])),
  };
}

function readOperation({ description, template, item }: Template, node: JsonObject): Operation {
  const { document } = description;
  const isSwagger = document.swagger !== undefined;
  const described = [item.parameters, node.parameters]
    .filter(Array.isArray)
    .flat()
    .map((one) => deref(document, one));
  const parameters = described.flatMap((one): Parameter[] => {
    if (one.in !== "path" && one.in !== "query" && one.in !== "header") return [];
    // In Swagger 2 the parameter is the schema itself.
    const schema = isSwagger ? orCommaSeparated(one) : isObject(one.schema) ? one.schema : {};
    return [{ name: String(one.name), in: one.in, required: one.required === true, schema }];
  });
  const body = isSwagger ? swaggerBody(document, described) : openApiBody(document, node);
  return { description, template, parameters, body };
}

/** Puts the paths of all descriptions of a service into one table. */
export function indexOperations(descriptions: readonly Description[]): Operations {
  const byLength = new Map<number, Template[]>();
  for (const description of descriptions) {
    const paths = isObject(description.document.paths) ? Object.entries(description.document.paths) : [];
    for (const [template, item] of paths) {
      // OpenAI lists beta versions of its operations as paths with a query.
      if (!isObject(item) || template.includes("?")) continue;
      const segments = `${description.prefix}${template}`.split("/");
      const open = segments.filter((segment) => segment.includes("{")).length;
      const same = byLength.get(segments.length) ?? [];
      byLength.set(segments.length, same);
      same.push({ description, template, segments, open, item });
    }
  }
  for (const same of byLength.values()) same.sort((a, b) => a.open - b.open);
  const read = new Map<JsonObject, Operation>();
  return {
    find(method, path) {
      const segments = path.split("/");
      const fitting = (byLength.get(segments.length) ?? []).flatMap((template) => {
        const values = matchPath(template.segments, segments);
        return values === undefined ? [] : [{ template, values }];
      });
      for (const { template, values } of fitting) {
        const node = template.item[method.toLowerCase()];
        if (!isObject(node)) continue;
        const operation = read.get(node) ?? readOperation(template, node);
        read.set(node, operation);
        return { operation, values };
      }
      return fitting.length > 0 ? null : undefined;
    },
  };
}
