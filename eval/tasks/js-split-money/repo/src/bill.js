/** What each guest pays, in cents. */
export function splitBill(bill) {
  const share = Math.floor(bill.cents / bill.guests.length);
  return bill.guests.map((guest) => ({ guest, cents: share }));
}
