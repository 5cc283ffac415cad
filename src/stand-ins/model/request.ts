/** Checks that both wire formats share. The words follow the real service's. */
import { Refused } from "./refusal.ts";

/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The body as an object that has only known fields. Throws Refused. */
export function checkFields(body: unknown, known: ReadonlySet<string>): Record<string, unknown> {
  if (!isRecord(body)) throw new Refused("We could not parse the JSON body of your request.");
  const strange = Object.keys(body).find((name) => !known.has(name));
  if (strange !== undefined) {
    throw new Refused(`Unknown parameter: '${strange}'.`, { param: strange, code: "unknown_parameter" });
  }
  return body;
}

/** The name of the model. Throws Refused when it is missing. */
export function requireModel(request: Record<string, unknown>): string {
  const { model } = request;
  if (typeof model === "string" && model !== "") return model;
  throw new Refused("Missing required parameter: 'model'.", { param: "model", code: "missing_required_parameter" });
}

/** Checks name and schema of a function tool. Throws Refused. */
export function checkTool(tool: Record<string, unknown>, path: string): void {
  const { name, parameters } = tool;
  if (typeof name !== "string") {
    throw new Refused(`Missing required parameter: '${path}.name'.`, {
      param: `${path}.name`,
      code: "missing_required_parameter",
    });
  }
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    throw new Refused(
      `Invalid '${path}.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`,
      { param: `${path}.name`, code: "invalid_value" },
    );
  }
  if (parameters !== undefined && (!isRecord(parameters) || parameters.type !== "object")) {
    const got = isRecord(parameters) ? JSON.stringify(parameters.type ?? "None") : typeof parameters;
    throw new Refused(
      `Invalid schema for function '${name}': schema must be a JSON Schema of 'type: "object"', got 'type: ${got}'.`,
      {
        param: `${path}.parameters`,
        code: "invalid_function_parameters",
      },
    );
  }
}

/** The text of a content: a string, or parts of which each has a text. Throws Refused. */
export function textOf(content: unknown, path: string): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) {
    const got = content === null || content === undefined ? "null" : typeof content;
    throw new Refused(`Invalid value for '${path}': expected a string, got ${got}.`, {
      param: path,
      code: "invalid_type",
    });
  }
  return content
    .map((part, i) => {
      const text = isRecord(part) ? (part.text ?? part.refusal) : undefined;
      if (typeof text === "string") return text;
      throw new Refused(`Invalid type for '${path}[${i}]'.`, { param: `${path}[${i}]`, code: "invalid_type" });
    })
    .join("");
}

/** Names of the offered tools; `inner` leads from an item of the list to what has the name. */
export function toolNames(tools: unknown, inner: (tool: Record<string, unknown>) => unknown): string[] {
  return (Array.isArray(tools) ? tools : []).flatMap((tool: unknown) => {
    const found = isRecord(tool) ? inner(tool) : undefined;
    return isRecord(found) && typeof found.name === "string" ? [found.name] : [];
  });
}
