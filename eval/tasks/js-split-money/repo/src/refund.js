/** What each guest gets back, in cents: below zero. */
export function splitRefund(refund) {
  const share = Math.floor(refund.cents / refund.guests.length);
  return refund.guests.map((guest) => ({ guest, cents: -share }));
}
