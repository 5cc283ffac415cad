/** A package registry on loopback, as far as `npm ci` asks one: tarballs by address. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";

export interface Registry {
  /** `127.0.0.1:<port>`, as it stands in `policy.install.hosts`. */
  readonly host: string;
  /** Paths that were asked for. */
  readonly asked: string[];
  /** Offers a package and returns what a lock file says about it. */
  offer(
    name: string,
    files: Readonly<Record<string, string>>,
  ): { version: string; resolved: string; integrity: string };
  close(): Promise<void>;
}

function tarball(name: string, files: Readonly<Record<string, string>>): Buffer {
  const root = mkdtempSync(path.join(tmpdir(), "ticketsmith-package-"));
  const manifest = { "package.json": JSON.stringify({ name, version: "1.0.0" }) };
  for (const [file, text] of Object.entries({ ...manifest, ...files })) {
    mkdirSync(path.dirname(path.join(root, "package", file)), { recursive: true });
    writeFileSync(path.join(root, "package", file), text);
  }
  execFileSync("tar", ["-czf", "p.tgz", "package"], { cwd: root });
  const bytes = readFileSync(path.join(root, "p.tgz"));
  rmSync(root, { recursive: true });
  return bytes;
}

export async function startRegistry(): Promise<Registry> {
  const packages = new Map<string, Buffer>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const found = packages.get(request.url ?? "");
    response.writeHead(found === undefined ? 404 : 200).end(found);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as { port: number }).port}`;
  return {
    host,
    asked,
    offer(name, files) {
      const bytes = tarball(name, files);
      const place = `/${name}/-/${name.split("/").at(-1)}-1.0.0.tgz`;
      packages.set(place, bytes);
      const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
      return { version: "1.0.0", resolved: `http://${host}${place}`, integrity };
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
