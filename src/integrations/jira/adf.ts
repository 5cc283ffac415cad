/** Rich text of Jira Cloud: our tree (mdast) to ADF, and ADF to Markdown. */
export type { AdfDoc, AdfMark, AdfNode } from "./adf-nodes.ts";
export { sameAdf } from "./adf-nodes.ts";
export { fromAdf } from "./from-adf.ts";
export { toAdf } from "./to-adf.ts";
