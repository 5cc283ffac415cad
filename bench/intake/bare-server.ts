/** The floor: node:http that reads the body and checks the same signature. Nothing is parsed, nothing kept. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { answerParent } from "../child.ts";

answerParent<{ secret: string }>(async ({ secret }) => {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const digest = createHmac("sha256", secret).update(Buffer.concat(chunks)).digest();
      const given = Buffer.from(String(request.headers["x-hub-signature"]).slice(7), "hex");
      const authentic = given.length === digest.length && timingSafeEqual(given, digest);
      const text = authentic ? '{"status":"accepted"}' : '{"status":"rejected"}';
      response.writeHead(authentic ? 202 : 401, {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(text),
      });
      response.end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
});
