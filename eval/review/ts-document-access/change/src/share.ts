import type { Link, Store } from "./store.ts";

const day = 24 * 60 * 60 * 1000;

export function newLink(document: string, now: number): Link {
  const token = Math.random().toString(36).slice(2);
  return { token, document, expires: now + 7 * day };
}

export async function open(store: Store, token: string): Promise<boolean> {
  const link = store.findLink(token);
  if (link === null) return false;
  return true;
}
