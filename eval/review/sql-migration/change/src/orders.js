export function readOrders() {
  return [];
}

export async function convertAll(convert) {
  readOrders().map(async (order) => convert(order, "EUR"));
  return "done";
}
