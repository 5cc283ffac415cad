import { z } from "zod";
import { ending, outputGlance } from "./commands.ts";
import { defineTool, ToolRefusal, workspaceOf } from "./tool.ts";

/** Test runners and build tools. No shell: the argument list is the command. No git: there is no repository in there. */
export const defaultCommands = [
  ...["node", "npm", "npx", "pnpm", "yarn", "bun", "deno", "python", "python3", "pytest", "tox", "go", "cargo", "make"],
  ...["cmake", "ctest", "mvn", "gradle", "dotnet", "php", "composer", "ruby", "bundle", "rake"],
] as const;

export const run = defineTool({
  name: "run",
  description:
    'Run a program on a copy of the repository, without network; files it writes are thrown away. No shell: give a list, e.g. ["npm", "test"]. The answer starts with the command\'s number, cite it as evidence.',
  input: z.strictObject({
    argv: z
      .array(z.string().max(20_000))
      .min(1)
      .max(100)
      .describe('Program and arguments, e.g. ["node", "--test", "test/cart.test.js"]'),
  }),
  async execute({ argv }, context) {
    const [program = ""] = argv;
    const allowed: readonly string[] = context.allowedCommands ?? defaultCommands;
    if (!allowed.includes(program)) {
      const hint = /[\s;&|<>]/.test(program) ? " There is no shell: give each argument as an item of the list." : "";
      throw new ToolRefusal(`"${program.slice(0, 100)}" may not be run.${hint} Allowed: ${allowed.join(", ")}`);
    }
    if (argv.some((argument) => argument.includes("\0"))) throw new ToolRefusal("an argument contains a NUL character");
    const status = await context.sandbox?.status();
    if (context.sandbox === undefined || status === undefined || status.kind === "none") {
      const why = status === undefined ? "there is no sandbox" : status.reason;
      throw new ToolRefusal(`commands cannot be run here (${why}). Go on without, and say that nothing was run`);
    }
    const result = await context.sandbox.run({
      directory: workspaceOf(context).root,
      argv,
      timeoutMs: context.commandTimeoutMs,
      signal: context.signal,
    });
    const number = context.commands.add(result);
    const printed = outputGlance(number, result);
    return `${ending(number, result)}${printed === "" ? "" : `\n${printed}`}`;
  },
});
