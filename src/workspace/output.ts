/** What is kept of a command's output: all of it up to a limit, or its two ends. */
import { stripVTControlCharacters } from "node:util";

/** Takes the bytes of one output stream. */
export interface Sink {
  add(chunk: Buffer): void;
  /** Bytes seen so far, cut ones included. */
  readonly size: number;
}

/** Keeps everything up to `limit` bytes; `full` tells that there was more. */
export function createWhole(limit: number): Sink & { readonly full: boolean; bytes(): Buffer } {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    add(chunk) {
      const room = limit - size;
      if (room > 0) chunks.push(chunk.subarray(0, room));
      size += chunk.length;
    },
    get size() {
      return size;
    },
    get full() {
      return size > limit;
    },
    bytes: () => Buffer.concat(chunks),
  };
}

/** Keeps the first and the last `limit` bytes, so that memory stays bounded however much a command prints. */
export function createEnds(limit: number): Sink & { text(): string } {
  const head: Buffer[] = [];
  let headSize = 0;
  let tail: Buffer = Buffer.alloc(0);
  let size = 0;
  return {
    add(chunk) {
      size += chunk.length;
      const forHead = chunk.subarray(0, Math.max(0, limit - headSize));
      if (forHead.length > 0) {
        head.push(forHead);
        headSize += forHead.length;
      }
      const rest = chunk.subarray(forHead.length);
      if (rest.length > 0) tail = Buffer.concat([tail, rest.subarray(-limit)]).subarray(-limit);
    },
    get size() {
      return size;
    },
    text() {
      const cut = size - headSize - tail.length;
      const first = Buffer.concat(head);
      if (cut === 0) return printable(Buffer.concat([first, tail]).toString("utf8"));
      return `${printable(first.toString("utf8"))}\n[… ${cut} bytes cut …]\n${printable(tail.toString("utf8"))}`;
    },
  };
}

/** Text without colour codes, cursor movements and other control characters; `\r\n` and lone `\r` become line ends. */
export function printable(text: string): string {
  return (
    stripVTControlCharacters(text)
      .replace(/\r\n?/g, "\n")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "")
  );
}
