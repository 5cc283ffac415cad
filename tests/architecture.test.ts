/** The import rules of the house, read from the source. A broken rule is printed with the line that breaks it. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "..");

/** What each room may import besides platform and domain (and its own files). */
const rooms: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  platform: [],
  store: [],
  "stand-ins": [],
  integrations: [],
  models: [],
  workspace: [],
  knowledge: ["store"],
  tools: ["workspace", "knowledge"],
  agents: ["tools", "models"],
  steps: ["agents", "workspace", "knowledge"],
  effects: ["store"],
  runs: ["steps", "effects", "store"],
  events: ["runs", "store"],
  webhooks: ["events"],
  http: ["webhooks", "events", "runs", "store", "knowledge"],
  cli: ["webhooks", "events", "runs", "store", "knowledge", "main", "stand-ins"],
};

/** The composition root, src/main.ts and its neighbours, puts everything together. */
const everything = ["main", ...Object.keys(rooms)];

/** Packages and globals that live behind one door each. (The text of two programs for the inside of a sandbox lies in src as well.) */
const doors: readonly { readonly what: string; readonly uses: RegExp; readonly only: RegExp }[] = [
  { what: "express", uses: /from "express"/, only: /^(src\/http|webhooks)\// },
  { what: "bullmq", uses: /from "bullmq"/, only: /^src\/runs\/queue\.ts$/ },
  { what: "pg", uses: /from "pg"/, only: /^src\/store\/database\.ts$/ },
  { what: "openai", uses: /from "openai/, only: /^src\/models\// },
  { what: "jira.js", uses: /from "jira\.js/, only: /^src\/integrations\/jira\// },
  { what: "confluence.js", uses: /from "confluence\.js/, only: /^src\/integrations\/confluence\// },
  { what: "@gitbeaker", uses: /from "@gitbeaker/, only: /^src\/integrations\/gitlab\// },
  {
    what: "process.env",
    uses: /process\.env\b/,
    only: /^src\/(platform\/config|workspace\/probes|workspace\/install\/inside)\.ts$/,
  },
  { what: "fetch(", uses: /(?:await|return|=>|[=(,])\s*fetch\(/, only: /^src\/(integrations|models|stand-ins)\// },
  { what: "import() at run time", uses: /\bimport\((?!\s*"mdast")/, only: /^$/ },
];

interface Source {
  /** From the root, with slashes. */
  readonly file: string;
  readonly room: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function roomOf(file: string): string {
  if (file.startsWith("webhooks/")) return "webhooks";
  // What lies in src/ itself is the composition root.
  const [, room, inside] = file.split("/");
  return inside === undefined ? "main" : (room ?? "");
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}

const sources: readonly Source[] = ["src", "webhooks"]
  .flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => `${folder}/${name}`),
  )
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
  .map((file) => {
    const text = withoutComments(readFileSync(path.join(root, file), "utf8"));
    const imports = [...text.matchAll(/(?:from|import)\s+"(\.[^"]+)"/g)].map(([, target]) =>
      path.posix.join(path.posix.dirname(file), target ?? ""),
    );
    return { file, room: roomOf(file), text, imports };
  });

test("there is something to look at", () => {
  expect(sources.length).toBeGreaterThan(80);
  expect(sources.flatMap((source) => source.imports).length).toBeGreaterThan(200);
});

test("imports run downwards only", () => {
  const broken = sources.flatMap(({ file, room, imports }) => {
    const allowed = room === "main" ? everything : [...(rooms[room] ?? []), "platform", "domain", room];
    return imports
      .filter((target) => !allowed.includes(roomOf(target)))
      .filter((target) => !(room === "platform" && roomOf(target) === "domain"))
      .map((target) => `${file} imports ${target}: ${room} may import ${allowed.join(", ")}`);
  });
  expect(broken).toEqual([]);
});

test("domain imports only zod, and types", () => {
  const broken = sources
    .filter(({ room }) => room === "domain")
    .flatMap(({ file, text }) =>
      [...text.matchAll(/^import (?!type)[^;]*from "([^".][^"]*)"/gm)]
        .filter(([, name]) => name !== "zod")
        .map(([line]) => `${file}: ${line}`),
    );
  expect(broken).toEqual([]);
});

test("platform imports nothing above domain", () => {
  const broken = sources
    .filter(({ room }) => room === "platform")
    .flatMap(({ file, imports }) =>
      imports.filter((t) => !["platform", "domain"].includes(roomOf(t))).map((t) => `${file} imports ${t}`),
    );
  expect(broken).toEqual([]);
});

describe("one door each", () => {
  test.each(doors)("$what", ({ what, uses, only }) => {
    const broken = sources
      .filter(({ file, text }) => uses.test(text) && !only.test(file))
      .map(({ file }) => `${file} uses ${what}`);
    expect(broken).toEqual([]);
  });
});

test("there are no cycles", () => {
  const graph = new Map(sources.map(({ file, imports }) => [file, imports]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file);
    if (at >= 0) {
      cycles.push([...trail.slice(at), file].join(" -> "));
      return;
    }
    if (done.has(file)) return;
    for (const target of graph.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  expect(cycles).toEqual([]);
});

test("every import leads to a file", () => {
  const known = new Set(sources.map(({ file }) => file));
  const broken = sources.flatMap(({ file, imports }) =>
    imports.filter((t) => t.endsWith(".ts") && !known.has(t)).map((t) => `${file} imports ${t}`),
  );
  expect(broken).toEqual([]);
});

test("no drawer for things without a name", () => {
  const drawers = sources
    .filter(({ file }) => /(^|\/)(utils?|helpers?|common|misc)(\/|\.ts$)|manager/i.test(file))
    .map(({ file }) => file);
  expect(drawers).toEqual([]);
});
