/** What a project depends on, read from its manifests as far as a review needs it: names and versions as they are written. */
import { z } from "zod";

const Section = z.record(z.string(), z.unknown());

/** Everything that npm, pnpm, yarn, composer or deno would install or replace. */
const manifestSections = [
  ...[
    "dependencies",
    "devDependencies",
    "peerDependencies",
    "optionalDependencies",
    "bundledDependencies",
    "overrides",
  ],
  ...["resolutions", "pnpm", "require", "require-dev", "imports", "repositories"],
];

function fromJson(text: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not JSON: no tool would install anything from it.
    return [];
  }
  const root = Section.safeParse(value).data ?? {};
  return manifestSections.flatMap((section) =>
    Object.entries(Section.safeParse(root[section]).data ?? {}).map(
      ([name, version]) => `${name} ${typeof version === "string" ? version : JSON.stringify(version)}`,
    ),
  );
}

/** pyproject.toml, Cargo.toml, Pipfile: `name = …` in sections of dependencies, and texts in arrays of dependencies. */
function fromToml(text: string): string[] {
  const found: string[] = [];
  let section = "";
  let inList = false;
  for (const raw of text.split("\n")) {
    const line = raw.replace(/(^|\s)#.*$/, "").trim();
    const header = /^\[+\s*([^\]]+?)\s*\]+$/.exec(line)?.[1];
    if (header !== undefined && !inList) {
      section = header;
      // `[dependencies.serde]` names one.
      const own = /(?:^|\.)(?:[\w-]*dependencies|packages|dev-packages)\.(.+)$/.exec(header)?.[1];
      if (own !== undefined) found.push(own);
      continue;
    }
    const isSection =
      /(?:^|\.)[\w-]*dependencies$|(?:^|\.)(?:dev-)?packages$|^dependency-groups$|(?:^|\.)source$|(?:^|\.)(?:patch|replace)\b/.test(
        section,
      );
    const entry = /^"?([\w.-]+)"?\s*=\s*(.*)$/.exec(line);
    const opens =
      entry !== null && /^\[/.test(entry[2] ?? "") && (isSection || /dependencies|requires/.test(entry[1] ?? ""));
    if (opens) inList = true;
    if (inList)
      found.push(
        ...[...line.slice(opens ? line.indexOf("=") : 0).matchAll(/["']([^"']+)["']/g)].map((match) => match[1] ?? ""),
      );
    else if (isSection && entry !== null) found.push(`${entry[1]} ${entry[2]}`);
    if (/\]\s*,?$/.test(line)) inList = false;
  }
  return found;
}

function byPattern(pattern: RegExp): (text: string) => string[] {
  return (text) => [...text.matchAll(pattern)].map((match) => match.slice(1).filter(Boolean).join(" ").trim());
}

const readers: readonly (readonly [name: RegExp, read: (text: string) => string[]])[] = [
  [/(?:^|\/)(?:package|composer|deno|jsr)\.jsonc?$/, fromJson],
  [/(?:^|\/)(?:pyproject\.toml|cargo\.toml|pipfile|uv\.toml)$/, fromToml],
  [
    /(?:^|\/)(?:requirements|constraints)[^/]*\.(?:txt|in)$|(?:^|\/)requirements\/[^/]+\.(?:txt|in)$/,
    byPattern(/^[ \t]*(?!#)(\S[^#\n]*)/gm),
  ],
  [
    /(?:^|\/)go\.(?:mod|work)$/,
    byPattern(/^\s*(?:require\s+|replace\s+|tool\s+|use\s+)?([\w.-]+\.[\w./-]+\s+(?:v\S+|=>.*)|\S+\s*=>.*)$/gm),
  ],
  [/(?:^|\/)pom\.xml$/, byPattern(/<artifactId>([^<]+)<\/artifactId>\s*(?:<version>([^<]+)<\/version>)?/g)],
  [
    /\.gradle(?:\.kts)?$|(?:^|\/)libs\.versions\.toml$/,
    byPattern(
      /^\s*(?:\w*(?:mplementation|api|ompile\w*|untimeOnly|lasspath|nnotationProcessor|kapt|ksp|id)\b\s*\(?\s*(["'][^"'\n]+["'].*)|([\w-]+\s*=\s*\{?.*(?:module|version|id)\b.*))$/gm,
    ),
  ],
  [/(?:^|\/)gemfile$|\.gemspec$/, byPattern(/^\s*(?:gem|\w+\.add_\w*dependency)\b\s*\(?\s*(.+)$/gm)],
  [
    /\.(?:cs|fs|vb)proj$|(?:^|\/)(?:directory\.packages|packages)\.(?:props|config)$/,
    byPattern(/<(?:PackageReference|PackageVersion|package)\s+([^>]{0,500})>/gi),
  ],
  [/(?:^|\/)mix\.exs$/, byPattern(/\{\s*:(\w+\s*,[^}]{0,500})\}/g)],
  [/(?:^|\/)package\.swift$/, byPattern(/\.package\(([^)]{0,500})\)/g)],
  [/(?:^|\/)setup\.(?:py|cfg)$/, byPattern(/^\s*["']?([A-Za-z][\w.-]*(?:\[[\w,]*\])?\s*(?:[<>=~!]=|>|<|@)[^"'\n]*)/gm)],
  [/(?:^|\/)pubspec\.ya?ml$|(?:^|\/)environment\.ya?ml$/, byPattern(/^ {2,}-?\s*([\w-]+\s*[:=].+)$/gm)],
];

/** Whether a file says what a project depends on. `path` in small letters. */
export function isManifest(path: string): boolean {
  return readers.some(([name]) => name.test(path.toLowerCase()));
}

/** Dependencies that are in `after` and were not (or not in this version) in `before`, as they are written there. */
export function newDependencies(path: string, before: string | null, after: string | null): string[] {
  const read = readers.find(([name]) => name.test(path.toLowerCase()))?.[1];
  if (read === undefined || after === null) return [];
  const known = new Set(read(before ?? ""));
  return [...new Set(read(after))].filter((one) => one !== "" && !known.has(one));
}
