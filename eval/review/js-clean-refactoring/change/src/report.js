import { day } from "./dates.js";

export function title(report) {
  return `${report.name} of ${day(report.date)}`;
}

export function rows(report) {
  return report.rows ?? [];
}
