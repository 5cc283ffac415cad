import { stat } from "node:fs/promises";

/** Tells directories apart that follow one another under the same path, as a run's checkouts do. Throws when there is none. */
export async function identityOf(directory: string): Promise<string> {
  const { dev, ino, birthtimeMs } = await stat(directory);
  return `${dev} ${ino} ${birthtimeMs}`;
}
