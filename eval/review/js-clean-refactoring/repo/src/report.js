export function title(report) {
  return `${report.name} of ${report.date.toISOString().slice(0, 10)}`;
}

export function rows(report) {
  return report.rows ? report.rows : [];
}
