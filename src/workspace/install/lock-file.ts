/**
 * What a repository says about the packages it needs, read from its lock file as data. Only plain lists of names, versions and hashes
 * are taken: everything by which a lock file could have code run (git addresses, local builds, options) is refused by name.
 */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { z } from "zod";
import { Refusal, splitPath } from "../paths.ts";
import { readInside } from "../tree.ts";

/** A lock file that can be installed from. */
export interface Lock {
  /** Its name, for people. */
  readonly file: string;
  /** The same for every tree with the same lock file on this machine; fit for a directory's name. */
  readonly key: string;
  /** The files that the installation may see, and nothing else of the repository. */
  readonly manifests: ReadonlyMap<string, Buffer>;
  /** Runs in a directory with the manifests and leaves the packages there. No script of a package is run. */
  readonly argv: readonly string[];
}

/** A tree's lock file: none that names any package, one to install from, or one that we do not touch, and why. */
export type LockFound =
  | { readonly kind: "none" }
  | { readonly kind: "lock"; readonly lock: Lock }
  | { readonly kind: "refused"; readonly file: string; readonly reason: string };

const mostBytes = 20_000_000;
const mostManifests = 300;

/** Null when there is no such plain file. */
async function readPlain(root: string, file: string): Promise<Buffer | null> {
  try {
    return await readInside(root, file, mostBytes);
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

function keyOf(kind: string, platform: string, lock: Buffer): string {
  return `${kind}-${createHash("sha256").update(`${platform}\0`).update(lock).digest("hex").slice(0, 32)}`;
}

const NpmLock = z.object({
  lockfileVersion: z.number(),
  packages: z.record(z.string(), z.looseObject({ resolved: z.string().optional(), link: z.boolean().optional() })),
});

/** Retried soon: npm's own pauses of up to a minute are for people, and a host that is not allowed stays so. */
const npmInstall = [
  ...["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", "/tmp/npm"],
  ...["--fetch-retries", "2", "--fetch-retry-mintimeout", "500", "--fetch-retry-maxtimeout", "3000"],
];

async function readNpm(root: string, file: string, bytes: Buffer): Promise<LockFound> {
  const refused = (reason: string): LockFound => ({ kind: "refused", file, reason });
  let parsed: z.infer<typeof NpmLock>;
  try {
    parsed = NpmLock.parse(JSON.parse(bytes.toString("utf8")));
  } catch {
    return refused("it is no lock file of npm 7 or later");
  }
  const places = Object.entries(parsed.packages);
  const packages = places.filter(([place, { link }]) => /(?:^|\/)node_modules\//.test(place) && link !== true);
  if (packages.length === 0) return { kind: "none" };
  for (const [place, { resolved }] of packages) {
    // For git addresses npm runs git, and prepares what it got; `file:` leads to code of the repository.
    if (resolved !== undefined && !/^https?:\/\//.test(resolved)) return refused(`${place} comes from ${resolved}`);
  }
  const manifests = new Map([[file, bytes]]);
  // Besides the root, the members of a workspace: npm compares their manifests with the lock file. No .npmrc: it can name programs.
  const members = places.map(([place]) => place).filter((place) => !/(?:^|\/)node_modules\//.test(place));
  for (const member of new Set(["", ...members])) {
    let name: string;
    try {
      name = [...(member === "" ? [] : splitPath(member)), "package.json"].join("/");
    } catch {
      return refused(`${member} leads out of the repository`);
    }
    const manifest = await readPlain(root, name);
    if (manifest === null) return refused(`there is no ${name}`);
    manifests.set(name, manifest);
    if (manifests.size > mostManifests) return refused(`it has more than ${mostManifests} workspaces`);
  }
  const key = keyOf("npm", `${process.version} ${process.arch}`, bytes);
  return { kind: "lock", lock: { file, key, manifests, argv: npmInstall } };
}

/** A name with versions, a marker and hashes (PEP 508 without addresses; pip's requirements file format). */
const requirement =
  /^[A-Za-z0-9][\w.-]*(?:\[[\w\s,.-]*\])?\s*(?:(?:[=!<>~]=?=?|===)\s*[\w.*+!-]+\s*,?\s*)*(?:;[^#@/]*)?(?:\s*--hash=\w+:[0-9a-f]+)*$/;

// Wheels only: anything else is built by running it.
const pipInstall = [
  ...[
    "python3",
    "-m",
    "pip",
    "install",
    "--no-input",
    "--no-cache-dir",
    "--disable-pip-version-check",
    "--only-binary",
    ":all:",
  ],
  ...["--target", "/workspace/python", "--requirement", "requirements.txt"],
] as const;

function pythonHere(): string {
  try {
    return realpathSync("/usr/bin/python3");
  } catch {
    return "";
  }
}

function readPip(file: string, bytes: Buffer): LockFound {
  const lines = bytes
    .toString("utf8")
    .replace(/\\\r?\n/g, " ")
    .split(/\r?\n/)
    .map((line) => line.replace(/(?:^|\s)#.*$/, "").trim());
  const wanted = lines.filter((line) => line !== "");
  if (wanted.length === 0) return { kind: "none" };
  const odd = wanted.find((line) => !requirement.test(line));
  if (odd !== undefined) {
    return { kind: "refused", file, reason: `only names with versions are installed, not: ${odd.slice(0, 100)}` };
  }
  const key = keyOf("pip", `${pythonHere()} ${process.arch}`, bytes);
  return { kind: "lock", lock: { file, key, manifests: new Map([[file, bytes]]), argv: pipInstall } };
}

/** Lock files of other tools: their packages cannot be installed here, which is better said than left to be found out. */
const unknown = [
  "pnpm-lock.yaml",
  "yarn.lock",
  "bun.lock",
  "poetry.lock",
  "uv.lock",
  "Pipfile.lock",
  "Gemfile.lock",
  "composer.lock",
];

/** Looks for the lock file at the root of a tree. Reads only; links are not followed. */
export async function findLock(root: string): Promise<LockFound> {
  for (const file of ["npm-shrinkwrap.json", "package-lock.json"]) {
    const bytes = await readPlain(root, file);
    if (bytes !== null) return readNpm(root, file, bytes);
  }
  const pip = await readPlain(root, "requirements.txt");
  if (pip !== null) return readPip("requirements.txt", pip);
  for (const file of unknown) {
    if ((await readPlain(root, file)) !== null) {
      return { kind: "refused", file, reason: "only package-lock.json and requirements.txt can be installed from" };
    }
  }
  return { kind: "none" };
}
