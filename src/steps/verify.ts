/** Fourth step: the tests are run by code, and QA shows for each criterion a command that proves it. Facts come from exit codes. */
import type { z } from "zod";
import { dataSection } from "../agents/data.ts";
import { judgeQa } from "../agents/judge.ts";
import { qa } from "../agents/qa.ts";
import type { Workspace } from "../domain/ports.ts";
import { render } from "../platform/template.ts";
import { implemented, noteCommand, type TestResult, understood, verified } from "./outputs.ts";
import { runAgent } from "./run-agent.ts";
import type { Step, StepContext } from "./step.ts";
import { testCommand } from "./test-command.ts";

/** Runs the tests of the changed tree in the sandbox; every way in which that is impossible is "not run" with the reason. */
async function runTests(context: StepContext, workspace: Workspace): Promise<TestResult> {
  const { sandbox, policy } = context.services;
  const status = await sandbox.status();
  const argv = await testCommand(context.project, workspace.root);
  if (argv === null) {
    return {
      status: "not_run",
      command: "",
      detail: `no test command is known: set projects.${context.run.target.project}.test`,
    };
  }
  const command = argv.join(" ");
  if (status.kind === "none") return { status: "not_run", command, detail: `no sandbox: ${status.reason}` };
  const timeoutMs = policy.policy.commandSeconds * 1000;
  const result = await sandbox.run({ directory: workspace.root, argv, timeoutMs, signal: context.signal });
  const seconds = (result.durationMs / 1000).toFixed(1);
  if (result.timedOut) return { status: "failed", command, detail: `stopped after ${seconds} s` };
  if (result.exitCode === 0) return { status: "passed", command, detail: `exit 0 after ${seconds} s` };
  return { status: "failed", command, detail: `exit ${result.exitCode ?? "by signal"} after ${seconds} s` };
}

export const verify: Step<z.infer<typeof verified.output>> = {
  ...verified,

  async execute(context) {
    const { run, services } = context;
    const { understanding, repository, base, ticket } = context.output(understood);
    const { patch, changed } = context.output(implemented);
    const workspace = await services.workspaces.open({ runId: run.id, project: repository, base, patch });
    const tests = await runTests(context, workspace);
    const criteria = understanding.acceptanceCriteria;
    if ((await services.sandbox.status()).kind === "none") {
      // QA could run nothing, so it could show nothing: not worth a model call.
      const proof = [...judgeQa({ criteria: [], notes: "" }, criteria, [])];
      return { output: { tests, proof, commands: [], notes: "" }, effects: [], next: { kind: "continue" } };
    }
    const { output: report, commands } = await runAgent(context, qa, {
      workspace,
      task: render("prompts/tasks/qa.md", {
        key: ticket.key,
        criteria: dataSection("Criteria", criteria.map((text, index) => `${index + 1}. ${text}`).join("\n")),
        changed: dataSection("Changed files", changed.map((file) => `${file.status} ${file.path}`).join("\n")),
        tests: tests.command === "" ? null : `${tests.command}: ${tests.status}, ${tests.detail}`,
      }),
    });
    const proof = [...judgeQa(report, criteria, commands)];
    return {
      output: { tests, proof, commands: commands.map(noteCommand), notes: report.notes },
      effects: [],
      next: { kind: "continue" },
    };
  },
};
