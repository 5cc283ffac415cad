/** A date as people in the company write it, in UTC. */
export function day(date) {
  return date.toISOString().slice(0, 10);
}
