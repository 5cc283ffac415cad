import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readArguments, toolSpec } from "../../src/agents/tool-spec.ts";
import * as handoff from "../../src/domain/handoff.ts";

const Shape = z.object({ path: z.string(), lines: z.number().int().optional() });

describe("readArguments", () => {
  it("never throws, and what it lets through has the right shape", () => {
    const broken = fc.string({
      unit: fc.constantFrom("{", "}", "[", "]", '"', "'", ":", ",", "\\", "path", "1", " ", "\n", "```", "/*", "é"),
    });
    fc.assert(
      fc.property(fc.oneof(broken, fc.json(), fc.string()), fc.boolean(), (text, cut) => {
        const reading = readArguments(text, Shape, { cut });
        if (reading.ok) expect(Shape.parse(reading.value)).toEqual(reading.value);
        else expect(reading.problem.length).toBeGreaterThan(0);
      }),
      { numRuns: 2000 },
    );
  });

  it("never takes a beginning for the whole", () => {
    const whole = JSON.stringify({ path: 'src/"quoted"/é\n\\a.ts', lines: 12 });
    const value = JSON.parse(whole) as { path: string };
    for (let end = 1; end < whole.length; end += 1) {
      const reading = readArguments(whole.slice(0, end), Shape, { cut: false });
      if (reading.ok) expect(reading.value.path).toBe(value.path);
      expect(readArguments(whole.slice(0, end), Shape, { cut: true }).ok).toBe(false);
    }
  });

  it("names at most ten mistakes", () => {
    const Many = z.object(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`field${i}`, z.string()])));
    const reading = readArguments("{}", Many, { cut: false });
    expect(reading.ok ? "" : reading.problem.split("\n").length).toBe(10);
  });
});

it("toolSpec keeps fields whatever their names, and leaves out what no model needs to be told", () => {
  const schema = z.strictObject({
    default: z.string().min(1).max(5000).describe("d"),
    properties: z.number().int().min(1).default(3),
    maximum: z.array(z.string().max(300)).max(12),
  });
  expect(toolSpec("t", "d", schema).parameters).toEqual({
    type: "object",
    properties: {
      default: { type: "string", description: "d" },
      properties: { type: "integer" },
      maximum: { type: "array", maxItems: 12, items: { type: "string", maxLength: 300 } },
    },
    required: ["default", "maximum"],
    additionalProperties: false,
  });
});

it.each(Object.entries(handoff))("toolSpec of %s is an object schema without noise", (name, schema) => {
  const spec = toolSpec(name, "d", schema);
  expect(spec.parameters.type).toBe("object");
  expect(JSON.stringify(spec)).not.toMatch(/\$schema|\$ref|9007199254740991/);
  // A claim and a report per thread in one is the longest.
  expect(JSON.stringify(spec).length).toBeLessThan(1400);
});
