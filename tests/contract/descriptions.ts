/**
 * The official descriptions of the outside APIs, read from the folder beside the project when it is there. They are not part
 * of the project: their licences differ, and they are megabytes.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parse } from "yaml";

export type Service = "jira" | "gitlab" | "confluence" | "openai";

export type JsonObject = Readonly<Record<string, unknown>>;

/** An OpenAPI 3 or Swagger 2 document. */
export interface Description {
  readonly file: string;
  /** What comes before the paths of the document, as the host sees them. */
  readonly prefix: string;
  readonly document: JsonObject;
}

const folder = path.resolve(import.meta.dirname, "../../../shared/specs");

const files: readonly { readonly service: Service; readonly file: string; readonly prefix: string }[] = [
  { service: "jira", file: "jira-cloud-platform-v3.openapi.json", prefix: "" },
  { service: "confluence", file: "confluence-cloud-v2.openapi.json", prefix: "/wiki/api/v2" },
  // What v2 cannot do (labels, attachments, CQL) is still done over v1.
  { service: "confluence", file: "confluence-cloud-v1.openapi.yaml", prefix: "" },
  { service: "gitlab", file: "gitlab-rest-v4.swagger2.yaml", prefix: "" },
  // GitLab's own file leaves out notes and discussions.
  { service: "gitlab", file: "gitlab-notes-discussions.supplement.openapi.yaml", prefix: "/api/v4" },
  { service: "openai", file: "openai.openapi.json", prefix: "/v1" },
];

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether all description files are there. */
export function hasDescriptions(): boolean {
  return files.every(({ file }) => existsSync(path.join(folder, file)));
}

/** YAML of 2 MB takes more than a second to parse and JSON 20 ms, so what was parsed is kept until the file changes. */
function readYaml(file: string): unknown {
  const { size, mtimeMs } = statSync(file);
  const cache = path.join(os.tmpdir(), `ticketsmith-descriptions-${os.userInfo().uid}`);
  const kept = path.join(cache, `${path.basename(file, ".yaml")}-${size}-${Math.trunc(mtimeMs)}.json`);
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, "utf8"));
  const document: unknown = parse(readFileSync(file, "utf8"));
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  // Test files run in processes of their own: none may read what another has half written.
  const unfinished = `${kept}.${process.pid}`;
  writeFileSync(unfinished, JSON.stringify(document));
  renameSync(unfinished, kept);
  return document;
}

/** The descriptions of one service. Takes some 30 ms per file (the first time ever a second for YAML). */
export function readDescriptions(service: Service): Description[] {
  return files
    .filter((one) => one.service === service)
    .map(({ file, prefix }) => {
      const full = path.join(folder, file);
      const document: unknown = file.endsWith(".yaml") ? readYaml(full) : JSON.parse(readFileSync(full, "utf8"));
      if (!isObject(document)) throw new Error(`${file} holds no object`);
      return { file, prefix, document };
    });
}

/**
 * What a reference such as `#/components/schemas/Comment` leads to.
 * @throws Error when it leads nowhere
 */
export function resolve(document: JsonObject, pointer: string): unknown {
  const steps = pointer
    .replace(/^#\//, "")
    .split("/")
    .map((step) => decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~"));
  let found: unknown = document;
  for (const step of steps) {
    found = isObject(found) ? found[step] : Array.isArray(found) ? found[Number(step)] : undefined;
    if (found === undefined) throw new Error(`${pointer} leads nowhere`);
  }
  return found;
}

/** The object itself, or the one that its `$ref` leads to. */
export function deref(document: JsonObject, node: unknown): JsonObject {
  let found = node;
  while (isObject(found) && typeof found.$ref === "string") found = resolve(document, found.$ref);
  if (!isObject(found)) throw new Error("the description has no object where one belongs");
  return found;
}
