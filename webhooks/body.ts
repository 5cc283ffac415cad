/** Taking the bytes of a request in. Own reading instead of a body parser: one pass, no copy for bodies that come in one piece. */
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

const inflate = promisify(gunzip);

/** A request whose body we do not take. `status` is the HTTP answer, 0 when there is nobody left to answer. */
export interface NotTaken {
  readonly status: 0 | 400 | 413 | 415;
  readonly reason: string;
}

/**
 * Reads the whole body, unpacked. None of our senders compresses; gzip is taken because a proxy may, and what comes out of it
 * is limited just as what goes in. What is beyond the limit is drained and thrown away, so the sender gets to read the answer.
 * @param limit bytes, before and after unpacking
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | NotTaken> {
  const encoding = request.headers["content-encoding"]?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity" && encoding !== "gzip") {
    request.resume();
    return { status: 415, reason: "the content encoding is neither identity nor gzip" };
  }
  const raw = await readRaw(request, limit);
  return encoding === "identity" || !Buffer.isBuffer(raw) ? raw : unpack(raw, limit);
}

const tooLarge: NotTaken = { status: 413, reason: "the body is too large" };

function readRaw(request: IncomingMessage, limit: number): Promise<Buffer | NotTaken> {
  if (Number(request.headers["content-length"] ?? 0) > limit) {
    request.resume();
    return Promise.resolve(tooLarge);
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      resolve(tooLarge);
    });
    request.on("end", () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    const gone = (): void => resolve({ status: 0, reason: "the sender hung up" });
    request.on("error", gone);
    request.on("close", gone);
  });
}

async function unpack(packed: Buffer, limit: number): Promise<Buffer | NotTaken> {
  try {
    return await inflate(packed, { maxOutputLength: limit });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code === "ERR_BUFFER_TOO_LARGE" ? tooLarge : { status: 400, reason: "the body is not gzip" };
  }
}
