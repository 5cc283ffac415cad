/** How schemas of descriptions are read, on a small one of our own: these tests run wherever the official ones are not. */
import { describe, expect, test } from "vitest";
import { compile, explain } from "./json-schema.ts";
import { indexOperations } from "./operations.ts";

const document = {
  components: {
    schemas: {
      Named: {
        type: "object",
        required: ["name", "id"],
        properties: { name: { type: "string" }, id: { readOnly: true } },
      },
      Aged: { type: "object", additionalProperties: true, properties: { age: { $ref: "#/components/schemas/Age" } } },
      Age: { type: "integer", nullable: true, description: "years" },
      Person: { allOf: [{ $ref: "#/components/schemas/Named" }, { $ref: "#/components/schemas/Aged" }] },
      Notes: { type: "object" },
      Tree: {
        type: "object",
        properties: { children: { type: "array", items: { $ref: "#/components/schemas/Tree" } } },
      },
    },
  },
};

function find(schema: string | object, value: unknown): string[] {
  const validate = compile(document, typeof schema === "string" ? { $ref: `#/components/schemas/${schema}` } : schema);
  return validate(value) ? [] : explain(validate.errors);
}

describe("a schema of a description", () => {
  test.each([
    ["parts make one object", "Person", { name: "Mia", age: 5 }, []],
    [
      "a field that no part knows",
      "Person",
      { name: "Mia", height: 5 },
      ["/ has a field that is not described: height"],
    ],
    ["additionalProperties: true beside fields", "Aged", { aeg: 5 }, ["/ has a field that is not described: aeg"]],
    ["a read-only field", "Named", { name: "Mia", id: 5 }, ["/id is read-only"]],
    ["a required field", "Named", {}, ["/ must have required property 'name'"]],
    [
      "exclusiveMinimum as in OpenAPI 3.0",
      { type: "integer", minimum: 0, exclusiveMinimum: true },
      0,
      ["/ must be > 0"],
    ],
    ["nullable as in OpenAPI 3.0", "Aged", { age: null }, []],
    ["an object that nothing is known of", "Notes", { any: { thing: 1 } }, []],
    ["recursion", "Tree", { children: [{ children: [] }] }, []],
    [
      "recursion, deep",
      "Tree",
      { children: [{ childs: [] }] },
      ["/children/0 has a field that is not described: childs"],
    ],
    ["a map", { type: "object", additionalProperties: { type: "string" } }, { a: 1 }, ["/a must be string"]],
    ["branches that overlap", { oneOf: [{ type: "string" }, { type: "string", maxLength: 9 }] }, "both", []],
    ["a free-form branch", { anyOf: [{ $ref: "#/components/schemas/Named" }, { type: "object" }] }, { other: 1 }, []],
    ["a format", { type: "string", format: "date-time" }, "yesterday", ['/ must match format "date-time"']],
    ["a type that is none", { type: "file" }, "bytes", []],
    ["a discriminator", { type: "object", discriminator: { propertyName: "x" }, properties: { y: {} } }, { y: 1 }, []],
  ] as const)("%s", (_what, schema, value, found) => {
    expect(find(schema, value)).toEqual(found);
  });

  test("a reference that leads nowhere is no schema that lets everything pass", () => {
    expect(() => find("Nobody", 1)).toThrow("#/components/schemas/Nobody leads nowhere");
  });
});

describe("a Swagger 2 description", () => {
  const form = [
    { in: "path", name: "id", type: "string", required: true },
    { in: "formData", name: "title", type: "string", required: true },
    { in: "formData", name: "labels", type: "array", items: { type: "string" }, description: "Comma-separated names" },
    { in: "formData", name: "position[line][new]", type: "integer" },
  ];
  const paths = { "/things/{id}": { put: { parameters: form } }, "/things/new": { get: {} } };
  const operations = indexOperations([{ file: "", prefix: "/api", document: { swagger: "2.0", paths } }]);

  test("finds operations by the path as it was sent, the literal one before the open one", () => {
    const found = operations.find("PUT", "/api/things/a%2Fb");
    expect(found?.operation.template).toBe("/things/{id}");
    expect(found?.values).toEqual({ id: "a/b" });
    expect(operations.find("GET", "/api/things/new")?.operation.template).toBe("/things/new");
    expect(operations.find("GET", "/api/things/old")).toBeNull();
    expect(operations.find("PUT", "/api/things/a/b")).toBeUndefined();
    expect(operations.find("PUT", "/things/a")).toBeUndefined();
  });

  test.each([
    [{ title: "A", labels: "a,b", position: { line: { new: 3 } } }, []],
    [{ title: "A", labels: ["a"] }, []],
    [{ labels: [] }, ["/ must have required property 'title'"]],
    [{ title: "A", position: { line: { old: 3 } } }, ["/position/line has a field that is not described: old"]],
  ])("reads a form as the JSON that GitLab takes for it: %j", (body, wrong) => {
    const content = operations.find("PUT", "/api/things/1")?.operation.body?.content;
    expect(find(content?.["application/json"] as object, body)).toEqual(wrong);
  });
});
