/** What an operator allows in a change: the section `policy.changes` of the policy file. */
import { z } from "zod";

/** Files with which a change would run code elsewhere, steer other agents, let secrets out, or decide about its own review. */
export const protectedByDefault: readonly string[] = [
  // What runs when the branch is pushed.
  ...[".gitlab-ci.yml", "*.gitlab-ci.yml", ".gitlab/**", ".github/**", ".circleci/**", ".buildkite/**", "Jenkinsfile*"],
  ...[".drone.yml", ".travis.yml", ".woodpecker*", "azure-pipelines*.yml", "bitbucket-pipelines.yml"],
  // Who reviews, and what git does on the machines of others.
  ...["CODEOWNERS", ".gitattributes", ".gitmodules", ".gitconfig", ".githooks/**", ".husky/**", "lefthook.y*ml"],
  ...[".pre-commit-config.yaml", ".vscode/**", ".idea/**", ".devcontainer/**", ".envrc"],
  // What images are built of.
  ...["Dockerfile*", "*.Dockerfile", "Containerfile*", "docker-compose*.y*ml", "compose.y*ml"],
  // What is installed.
  ...["package.json#scripts", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock*"],
  ...["poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "Gemfile.lock", "Cargo.lock", "go.sum", "composer.lock"],
  ...["gradle.lockfile", "packages.lock.json", "mix.lock", "pubspec.lock", "deno.lock", "flake.lock"],
  ...[".npmrc", ".yarnrc*", ".pnpmfile.*", ".pypirc", "pip.conf", ".cargo/**", ".bundle/**", "gradle-wrapper.*"],
  // What tells agents what to do.
  ...["AGENTS.md", "CLAUDE.md", "GEMINI.md", ".cursorrules", ".cursor/**", ".claude/**", ".ticketsmith.y*ml"],
  // Where secrets live.
  ...[
    ".env",
    ".env.local",
    ".env.*.local",
    ".env.production",
    ".netrc",
    ".ssh/**",
    "*.pem",
    "*.p12",
    "*.pfx",
    "id_rsa*",
  ],
];

const action = z.enum(["refuse", "park", "allow"]);

/**
 * `refuse`: nothing is pushed and the run ends with what it is about. `park`: the draft is pushed, and the run ends with what a person
 * must look at. `allow`: nothing happens.
 */
export const ChangeRules = z.strictObject({
  protectedPaths: z
    .strictObject({
      action: action.default("refuse"),
      paths: z
        .array(z.string().min(1))
        .default([...protectedByDefault])
        .describe(
          "Instead of the built-in list. Patterns as in .gitignore; package.json#scripts is the scripts section",
        ),
      also: z.array(z.string().min(1)).default([]).describe("Beside the built-in list"),
    })
    .prefault({})
    .describe("Files that a change may not touch, under any spelling that some file system takes for the same"),
  secrets: action.default("refuse").describe("Credentials in added lines"),
  specialFiles: action.default("refuse").describe("Symbolic links, submodules, changed file modes, odd names"),
  dependencies: action.default("park").describe("New or changed dependencies"),
  size: z
    .strictObject({
      action: action.default("park"),
      files: z.number().int().positive().default(60),
      lines: z.number().int().positive().default(2000),
    })
    .prefault({})
    .describe("More than a person can review. What is over maxPatchBytes is never pushed"),
  binaries: action.default("park").describe("Binary files"),
  generated: action.default("park").describe("Built, minified, generated and vendored files"),
  hiddenText: action.default("park").describe("Invisible characters in added lines"),
});
export type ChangeRules = z.infer<typeof ChangeRules>;
