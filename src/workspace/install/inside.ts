/** What runs in the installation's sandbox: a program as text, since nothing of ours is in there but Node. */
import { door, into } from "./mounts.ts";

/**
 * CommonJS for any Node from 18. argv: the installer and its arguments. Package managers speak to proxies by TCP only, and the sandbox's own
 * loopback is the one network it has: so a relay listens there and hands every connection on to the door's socket.
 */
const program = `
const fs = require("node:fs"), net = require("node:net"), { spawn, spawnSync } = require("node:child_process");
const [installer, ...rest] = process.argv.slice(1);
const relay = net.createServer((inside) => {
  const outside = net.connect("${door.directory}/${door.socket}");
  const end = () => { inside.destroy(); outside.destroy(); };
  for (const socket of [inside, outside]) socket.on("error", end).on("close", end);
  inside.pipe(outside).pipe(inside);
});
relay.listen(0, "127.0.0.1", () => {
  const proxy = "http://127.0.0.1:" + relay.address().port;
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "npm_config_proxy", "npm_config_https_proxy"];
  const bundles = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];
  const trusted = bundles.find((file) => fs.existsSync(file));
  const certificates = trusted === undefined ? {} : { NODE_EXTRA_CA_CERTS: trusted, PIP_CERT: trusted };
  const env = { ...process.env, ...certificates, ...Object.fromEntries(names.map((name) => [name, proxy])), NO_PROXY: "", no_proxy: "" };
  const child = spawn(installer, rest, { stdio: "inherit", env });
  child.on("error", (error) => { console.error(error.message); process.exit(127); });
  child.on("exit", (code) => {
    if (code !== 0) process.exit(code ?? 1);
    process.exit(spawnSync("cp", ["-a", "/workspace/.", "${into}/"], { stdio: "inherit" }).status ?? 1);
  });
});
`;

/** The command that installs in the sandbox. */
export function installCommand(argv: readonly string[]): string[] {
  return ["node", "-e", program, "--", ...argv];
}
