import { splitEvenly } from "./money.js";

/** What each guest pays, in cents. */
export function splitBill(bill) {
  const shares = splitEvenly(bill.cents, bill.guests.length);
  return bill.guests.map((guest, i) => ({ guest, cents: shares[i] }));
}
