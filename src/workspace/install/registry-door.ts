/**
 * The way from the installation to the package registries, and to nothing else: a forward proxy on a Unix socket that is put into the
 * sandbox, which has no other network. The allow-list is checked here, outside, by host and port as they are asked for.
 */
import { chmod, chown, mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Duplex } from "node:stream";
import { userId } from "../root.ts";
import { door } from "./mounts.ts";

export interface RegistryDoor {
  /** Directory of the socket, which is called as in mounts.ts. */
  readonly directory: string;
  /** Hosts that were asked for and are not on the list. */
  readonly refused: ReadonlySet<string>;
  /** Allowed hosts to which there was no way. */
  readonly unreachable: ReadonlySet<string>;
  close(): Promise<void>;
}

const idleMs = 60_000;
const mostConnections = 64;
/** Hop-by-hop headers (RFC 9110, 7.6.1) end here. */
const hopByHop = [
  "connection",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** `registry.example` allows https there, `registry.example:4873` that port. Lower case in, exact match, no wildcards. */
function isAllowed(hosts: readonly string[], host: string, port: string): boolean {
  return hosts.some((entry) => {
    const [name = "", only = "443"] = entry.toLowerCase().split(":");
    return name === host.toLowerCase() && only === port;
  });
}

function patient(socket: Duplex & Partial<Pick<Socket, "setTimeout">>): void {
  socket.setTimeout?.(idleMs, () => socket.destroy());
}

/** Joins two connections; the end of one is the end of the other. */
function join(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
    from.pipe(to);
    patient(from);
  }
}

/** Opens a door for one installation. `hosts` as in `policy.install.hosts`. Throws when no socket can be made. */
export async function openRegistryDoor(hosts: readonly string[]): Promise<RegistryDoor> {
  // Not in the data directory: the path of a socket has at most 107 bytes (unix(7)).
  const directory = await mkdtemp(path.join(tmpdir(), "ticketsmith-door-"));
  const refused = new Set<string>();
  const unreachable = new Set<string>();
  const open = new Set<Duplex>();
  const remember = <T extends Duplex>(socket: T): T => {
    open.add(socket.once("close", () => open.delete(socket)));
    return socket;
  };
  const isRefused = (host: string, port: string): boolean => {
    if (isAllowed(hosts, host, port)) return false;
    refused.add(port === "443" ? host : `${host}:${port}`);
    return true;
  };

  const server = createServer((incoming: IncomingMessage, response: ServerResponse) => {
    // Registries on plain http are asked in this form (RFC 9112, 3.2.2). Nothing is ever sent to them but questions.
    const url = URL.canParse(incoming.url ?? "") ? new URL(incoming.url ?? "") : null;
    const isQuestion = incoming.method === "GET" || incoming.method === "HEAD";
    if (url?.protocol !== "http:" || !isQuestion || isRefused(url.hostname, url.port || "80")) {
      response.writeHead(403).end("not an allowed registry\n");
      return;
    }
    const headers = Object.entries(incoming.headers).filter(([name]) => !hopByHop.includes(name));
    const onward = request(url, { method: incoming.method, headers: Object.fromEntries(headers), agent: false });
    onward.on("socket", (socket) => patient(remember(socket)));
    onward.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    response.on("close", () => onward.destroy());
    onward.end();
  });
  server.maxConnections = mostConnections;
  server.on("connection", remember);
  server.on("connect", (incoming: IncomingMessage, inside: Duplex, head: Buffer) => {
    inside.on("error", () => inside.destroy());
    const [, host = "", port = ""] = /^([A-Za-z0-9.-]+):(\d{1,5})$/.exec(incoming.url ?? "") ?? [];
    if (host === "" || isRefused(host, port)) {
      inside.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      return;
    }
    const outside = remember(connect({ host, port: Number(port) }));
    const notReached = (): void => {
      unreachable.add(host);
      inside.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    };
    outside.once("error", notReached);
    outside.once("connect", () => {
      outside.off("error", notReached);
      inside.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      outside.write(head);
      join(inside, outside);
    });
  });

  const socket = path.join(directory, door.socket);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(socket, resolve);
  });
  await chmod(socket, 0o600);
  // The sandbox of a bot that is root runs as this user, see root.ts.
  if (process.getuid?.() === 0) for (const place of [socket, directory]) await chown(place, userId, userId);
  return {
    directory,
    refused,
    unreachable,
    async close() {
      for (const one of open) one.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
