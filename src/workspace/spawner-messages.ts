/** A process, as it is asked for and as it is had, and what the bot and its spawner say to each other about it. */

export interface ProcessSpec {
  readonly file: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Which pipes are wanted beside stdout and stderr: stdin, file descriptors 3 and 4. */
export interface Wants {
  readonly input: boolean;
  readonly status: boolean;
  readonly files: boolean;
}

/** A child as it was started, by whomever. */
export interface Raw {
  readonly pid: number | undefined;
  readonly ended: boolean;
  /** Its exit code (null: a signal) when it and its pipes are done. Rejects with the spawn error. */
  readonly closed: Promise<number | null>;
  kill(): void;
  hold(held: boolean): void;
  /** Hands over what comes out of a file descriptor from 1 to 4, from its beginning on. */
  listen(fd: number, sink: (bytes: Buffer) => void): void;
  /** Writes to stdin and closes it. */
  input(bytes: string | Uint8Array): void;
}

/** `id`: of a process, given by the bot. */
export type Order =
  | { readonly do: "start"; readonly id: number; readonly spec: ProcessSpec; readonly wants: Wants }
  /** Writes to stdin and closes it. */
  | { readonly do: "input"; readonly id: number; readonly bytes: string | Uint8Array }
  /** Ends the whole process group. */
  | { readonly do: "kill"; readonly id: number };

export type Report =
  | { readonly id: 0; readonly say: "ready" }
  | { readonly id: number; readonly say: "started"; readonly pid: number }
  | { readonly id: number; readonly say: "failed"; readonly message: string; readonly code: string | undefined }
  | { readonly id: number; readonly say: "data"; readonly fd: number; readonly bytes: Uint8Array }
  | { readonly id: number; readonly say: "exited" }
  | { readonly id: number; readonly say: "closed"; readonly code: number | null };
