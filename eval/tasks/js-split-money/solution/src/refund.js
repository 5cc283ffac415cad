import { splitEvenly } from "./money.js";

/** What each guest gets back, in cents: below zero. */
export function splitRefund(refund) {
  const shares = splitEvenly(refund.cents, refund.guests.length);
  return refund.guests.map((guest, i) => ({ guest, cents: -shares[i] }));
}
