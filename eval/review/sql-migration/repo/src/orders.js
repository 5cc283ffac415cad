export function readOrders() {
  return [];
}
