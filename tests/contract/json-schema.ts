/**
 * Schemas of OpenAPI 3.0, 3.1 and Swagger 2 as JSON Schema 2020-12, made strict: these schemas check what *we send*. Vendors
 * describe answers and requests with the same loose schemas, and a misspelt optional field would pass them all.
 */
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { deref, isObject, type JsonObject, resolve } from "./descriptions.ts";

/** Keywords that mean the same everywhere. The rest is prose, or has a rule of its own below. */
const plainKeywords = [
  "enum const format minLength maxLength minimum maximum multipleOf",
  "minItems maxItems uniqueItems minProperties maxProperties",
].flatMap((line) => line.split(" "));

const types = new Set(["string", "number", "integer", "boolean", "array", "object", "null"]);

const ajv = new Ajv2020({ strict: false, logger: false, validateSchema: false });
addFormats.default(ajv);

type Schema = Record<string, unknown>;

/** Types that a schema allows; undefined: all. Swagger files also say `file`, `text` and `symbol`. */
function typesOf(schema: JsonObject): string[] | undefined {
  const named = (Array.isArray(schema.type) ? schema.type : [schema.type]).filter((one) => typeof one === "string");
  const known = named.map((one) => (one === "text" || one === "symbol" ? "string" : one));
  return known.length > 0 && known.every((one) => types.has(one)) ? known : undefined;
}

function mayBeObject(schema: JsonObject): boolean {
  return typesOf(schema)?.includes("object") ?? true;
}

/** Collects the definitions that a schema needs, so that only those are compiled. */
class Translation {
  readonly definitions: Record<string, Schema> = {};
  readonly #document: JsonObject;

  constructor(document: JsonObject) {
    this.#document = document;
  }

  /** A schema where a value stands (a body, a property, an item): here, fields that no part of it describes are refused. */
  value(node: unknown): Schema | boolean {
    const schema = this.part(node);
    if (typeof schema === "boolean") return schema;
    if (!mayBeObject(isObject(node) ? deref(this.#document, node) : {})) return schema;
    return { ...schema, unevaluatedProperties: false };
  }

  /** A schema, or a part of one (a branch, the target of a reference) that does not know the whole object. */
  part(node: unknown): Schema | boolean {
    if (typeof node === "boolean") return node;
    if (!isObject(node)) return {};
    if (typeof node.$ref === "string") return this.#reference(node.$ref);
    const plain = this.#plain(node);
    if (node.nullable !== true) return plain;
    return { anyOf: [plain, { type: "null" }] };
  }

  #reference(pointer: string): Schema {
    const name = pointer.replace(/\W+/g, "_");
    if (this.definitions[name] === undefined) {
      this.definitions[name] = {};
      const target = this.part(resolve(this.#document, pointer));
      this.definitions[name] = typeof target === "boolean" ? (target ? {} : { not: {} }) : target;
    }
    return { $ref: `#/$defs/${name}` };
  }

  #plain(node: JsonObject): Schema {
    const schema: Schema = {};
    for (const keyword of plainKeywords) if (node[keyword] !== undefined) schema[keyword] = node[keyword];
    if (isObject(schema.format) || isObject(schema.enum)) throw new Error("a property was taken for a schema");
    const allowed = typesOf(node);
    if (allowed !== undefined) schema.type = allowed;
    for (const side of ["Minimum", "Maximum"]) {
      const exclusive = node[`exclusive${side}`];
      if (typeof exclusive === "number") schema[`exclusive${side}`] = exclusive;
      // OpenAPI 3.0 says `true` beside the bound instead.
      if (exclusive === true) schema[`exclusive${side}`] = node[side.toLowerCase()];
    }
    if (typeof node.pattern === "string") schema.pattern = node.pattern;
    if (node.items !== undefined) schema.items = this.value(node.items);
    // Branches of `oneOf` overlap in all of these files; that just one matches is a hope of their authors.
    const branches = [node.anyOf, node.oneOf].filter(Array.isArray).flat();
    if (branches.length > 0) schema.anyOf = branches.map((branch) => this.part(branch));
    if (Array.isArray(node.allOf)) schema.allOf = node.allOf.map((part) => this.part(part));
    if (node.not !== undefined) schema.not = this.part(node.not);
    if (mayBeObject(node)) this.#fields(node, schema, branches.length > 0 || Array.isArray(node.allOf));
    return schema;
  }

  #fields(node: JsonObject, schema: Schema, isComposed: boolean): void {
    const properties = isObject(node.properties) ? Object.entries(node.properties) : [];
    // What is read-only must not be sent (OpenAPI 3.0.3, "readOnly"), so it cannot be required either.
    const unsent = new Set(
      properties.filter(([, one]) => isObject(one) && one.readOnly === true).map(([name]) => name),
    );
    if (properties.length > 0) {
      schema.properties = Object.fromEntries(
        properties.map(([name, one]) => [name, unsent.has(name) ? false : this.value(one)]),
      );
    }
    if (Array.isArray(node.required)) schema.required = node.required.filter((name) => !unsent.has(String(name)));
    const rest = node.additionalProperties;
    if (isObject(rest) || rest === false) schema.additionalProperties = this.value(rest);
    // Free-form where nothing is described. Beside described fields, "anything else is fine" is not for us to use.
    else if (properties.length === 0 && !isComposed) schema.additionalProperties = true;
  }
}

/** Compiles a schema of a description for things that we send. */
export function compile(document: JsonObject, node: unknown): ValidateFunction {
  const translation = new Translation(document);
  const schema = translation.value(node);
  if (typeof schema === "boolean") return ajv.compile(schema);
  return ajv.compile({ ...schema, $defs: translation.definitions });
}

/** An error that only says "this is another kind of thing": there is one for each kind that a value is not. */
function isOtherKind({ keyword, params }: ErrorObject): boolean {
  return keyword === "const" || (keyword === "enum" && (params.allowedValues as unknown[]).length === 1);
}

/** What is wrong, for people: at most four lines, the deepest first, since those are the branches that nearly matched. */
export function explain(errors: readonly ErrorObject[] | null | undefined): string[] {
  const depth = (error: ErrorObject): number => error.instancePath.split("/").length;
  const telling = [...(errors ?? [])]
    .filter((error) => error.keyword !== "anyOf")
    .sort((a, b) => Number(isOtherKind(a)) - Number(isOtherKind(b)) || depth(b) - depth(a));
  return [...new Set(telling.map((error) => `${error.instancePath || "/"} ${words(error)}`))].slice(0, 4);
}

function words(error: ErrorObject): string {
  const { keyword, params, message } = error;
  const field: unknown = params.unevaluatedProperty ?? params.additionalProperty;
  if (field !== undefined) return `has a field that is not described: ${String(field)}`;
  if (keyword === "false schema") return "is read-only";
  if (keyword === "enum") return `must be one of ${(params.allowedValues as unknown[]).join(", ")}`;
  if (keyword === "const") return `must be ${String(params.allowedValue)}`;
  return message ?? keyword;
}
