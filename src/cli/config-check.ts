/** `ticketsmith config check` */
import { loadConfig } from "../platform/config.ts";

/** Prints what was understood. @throws UserError listing every mistake */
export function configCheck(): void {
  const { policy } = loadConfig();
  const projects = Object.entries(policy.projects).map(([key, { repository, space }]) => {
    return `  ${key} -> ${repository}${space === undefined ? "" : `, pages in ${space}`}`;
  });
  const labels = Object.entries(policy.triggers.labels).map(([label, workflow]) => `  ${label} -> ${workflow}`);
  process.stdout.write(["The configuration is fine.", "Projects:", ...projects, "Labels:", ...labels, ""].join("\n"));
}
