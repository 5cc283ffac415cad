import type { Document, User } from "./store.ts";

export function mayRead(user: User, document: Document): boolean {
  return user.role === "admin" || document.owner === user.id;
}
