import { createHash } from "node:crypto";
import type { ModelRequest } from "../domain/ports.ts";

/**
 * Key of a conversation for the provider's prompt cache: the same for all its turns, as long as it begins with the same
 * messages. At most 64 characters.
 */
export function cacheKey(request: ModelRequest): string {
  const opening = request.messages.slice(0, 2).map((message) => [message.role, message.text]);
  const hash = createHash("sha256").update(JSON.stringify(opening)).digest("hex").slice(0, 24);
  return `ticketsmith-${request.role.slice(0, 24)}-${hash}`;
}
