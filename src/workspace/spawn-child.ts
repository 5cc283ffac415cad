import { type ChildProcess, spawn } from "node:child_process";
import type { ProcessSpec, Wants } from "./spawner-messages.ts";

/** Starts a child in a process group of its own, without a shell, with exactly the environment given; here or in the spawner. */
export function spawnChild(spec: ProcessSpec, wants: Wants): ChildProcess {
  const pipe = (wanted: boolean): "pipe" | "ignore" => (wanted ? "pipe" : "ignore");
  return spawn(spec.file, spec.argv, {
    env: { ...spec.env },
    ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    detached: true,
    stdio: [pipe(wants.input), "pipe", "pipe", pipe(wants.status), pipe(wants.files)],
  });
}
