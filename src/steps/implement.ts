/** Third step: the developer edits a checkout and runs the tests. What leaves it is a patch, checked against what is claimed. */
import type { z } from "zod";
import { dataSection } from "../agents/data.ts";
import { developer } from "../agents/developer.ts";
import { checkClaim } from "../agents/judge.ts";
import { UserError } from "../domain/errors.ts";
import { render } from "../platform/template.ts";
import { type PatchSecret, secretsInPatch } from "./change/secrets.ts";
import { implemented, noteCommand, planned, understood } from "./outputs.ts";
import { runAgent } from "./run-agent.ts";
import type { Step } from "./step.ts";
import { testCommand } from "./test-command.ts";

function placeOf({ path, line }: PatchSecret): string {
  return line === 0 ? `in the file name ${path}` : `in ${path}, line ${line}`;
}

export const implement: Step<z.infer<typeof implemented.output>> = {
  ...implemented,

  async execute(context) {
    const { run, services, project } = context;
    const { understanding, repository, base, ticket } = context.output(understood);
    const workspace = await services.workspaces.open({ runId: run.id, project: repository, base });
    const tests = await testCommand(project, workspace.root);
    const { output: claim, commands } = await runAgent(context, developer, {
      workspace,
      task: render("prompts/tasks/developer.md", {
        key: ticket.key,
        understanding: dataSection("Understanding", JSON.stringify(understanding, null, 1)),
        plan: dataSection("Plan", JSON.stringify(context.output(planned), null, 1)),
        tests: tests === null ? null : JSON.stringify(tests),
      }),
    });
    const patch = await workspace.diff();
    if (patch === "")
      throw new UserError("The developer agent finished without changing a file, so there is nothing to review.");
    const limit = services.policy.policy.maxPatchBytes;
    if (Buffer.byteLength(patch) > limit) {
      throw new UserError(`The change is larger than ${limit} bytes (policy.maxPatchBytes), so it was not pushed.`);
    }
    const secrets = secretsInPatch(patch);
    const found = secrets.find(({ certain }) => certain);
    if (found !== undefined) {
      throw new UserError(
        `The change would bring a secret into the repository, so it was not pushed: ${found.kind} ${placeOf(found)}. ` +
          "If it comes from the ticket, take it out there and revoke it.",
      );
    }
    const changed = await workspace.changedFiles();
    return {
      output: {
        claim,
        patch,
        changed,
        disagreements: [...checkClaim(claim, changed)],
        suspicions: secrets.map((secret) => `${placeOf(secret)}: ${secret.kind}`),
        commands: commands.map(noteCommand),
      },
      effects: [],
      next: { kind: "continue" },
    };
  },
};
