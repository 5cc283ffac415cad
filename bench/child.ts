/** A process of a benchmark that answers questions: every party is a process of its own, so that none slows another down. */
import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";

export interface Child {
  /** Id of the process. */
  readonly pid: number;
  /** Sends a question and waits for its answer. @throws when the process ends or answers with an error */
  ask<Answer>(question: object): Promise<Answer>;
  /** Ends the process in order. */
  stop(): Promise<void>;
}

/** Asked of a server: the processor time that it has used so far, microseconds. */
export interface CpuQuestion {
  readonly cpu: true;
}

interface Reply {
  readonly answer?: unknown;
  readonly failed?: string;
}

/** Patience with one question. */
const answerMs = 60_000;

/** Starts `file` (beside this one). Its stderr is thrown away: that is where the bot's log goes. */
export function startChild(file: string): Child {
  const child: ChildProcess = fork(path.join(import.meta.dirname, file), {
    stdio: ["ignore", "inherit", process.argv.includes("--verbose") ? "inherit" : "ignore", "ipc"],
    execArgv: [],
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  return {
    pid: child.pid ?? Number.NaN,
    async ask<Answer>(question: object) {
      const reply = new Promise<Reply>((resolve) => child.once("message", (message) => resolve(message as Reply)));
      child.send(question);
      const late = AbortSignal.timeout(answerMs);
      const { answer, failed } = await Promise.race([
        reply,
        ended.then((code): Reply => ({ failed: `the process ended with ${code}` })),
        new Promise<Reply>((resolve) => late.addEventListener("abort", () => resolve({ failed: "no answer in time" }))),
      ]);
      if (failed !== undefined) throw new Error(`${file}: ${failed}`);
      return answer as Answer;
    },
    async stop() {
      if (child.connected) child.disconnect();
      const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(late);
    },
  };
}

async function usedCpu(): Promise<number> {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/**
 * Inside such a process: answers questions (and that for its processor time), and ends when the parent lets go.
 * @param stop what to do before the end
 */
export function answerParent<Question>(
  answer: (question: Question) => Promise<unknown>,
  stop: () => Promise<void> = async () => {},
): void {
  process.on("message", (question) => {
    const known = typeof question === "object" && question !== null && "cpu" in question;
    (known ? usedCpu() : answer(question as Question)).then(
      (value) => process.send?.({ answer: value }),
      (error: unknown) => process.send?.({ failed: error instanceof Error ? (error.stack ?? error.message) : error }),
    );
  });
  process.on("disconnect", () => {
    stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}
