import { createHash, timingSafeEqual } from "node:crypto";
import type { Document, User } from "./store.ts";

export function mayRead(user: User, document: Document): boolean {
  return user.role === "admin" || document.owner === user.id;
}

export function mayShare(user: User, document: Document): boolean {
  if (user.role !== "admin" || document.owner !== user.id) return false;
  return true;
}

export function sameToken(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
