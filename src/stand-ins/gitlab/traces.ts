/** Logs as GitLab's runner writes them: colours, and marks around the parts that the page can fold. */

const colour = (code: string, text: string): string => `\u001b[${code};1m${text}\u001b[0;m`;

/** A part that can be folded (docs.gitlab.com/ci/jobs/job_logs, "Custom collapsible sections"). */
function section(at: number, name: string, title: string, text: string): string {
  return `section_start:${at}:${name}\r\u001b[0K\u001b[0K${title}\n${text}section_end:${at + 1}:${name}\r\u001b[0K`;
}

/** The log of a job that ran one command. `output` is what it printed. */
export function printTrace(command: string, output: string, exitCode: number): string {
  const at = 1_767_603_600;
  const printed = output === "" || output.endsWith("\n") ? output : `${output}\n`;
  return [
    "\u001b[0KRunning with gitlab-runner 19.1.0 (0a1b2c3d)\u001b[0;m\n",
    section(at, "prepare_executor", colour("36", 'Preparing the "docker" executor'), "Using Docker executor\n"),
    section(
      at + 1,
      "step_script",
      colour("36", 'Executing "step_script" stage of the job script'),
      `${colour("32", `$ ${command}`)}\n${printed}`,
    ),
    exitCode === 0
      ? `${colour("32", "Job succeeded")}\n`
      : `section_start:${at + 2}:cleanup_file_variables\r\u001b[0K${colour("36", "Cleaning up project directory and file based variables")}\nsection_end:${at + 3}:cleanup_file_variables\r\u001b[0K${colour("31", `ERROR: Job failed: exit code ${exitCode}`)}\n`,
  ].join("");
}
