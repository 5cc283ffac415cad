/** Webhooks as a busy Jira sends them: somebody edited the description of a ticket. 6 kB each, no two alike. */
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";

export interface Signed {
  readonly body: Buffer;
  /** Value of X-Hub-Signature. */
  readonly signature: string;
}

/** Size of a body, bytes. */
const size = 6 * 1024;

const words =
  "the cart forgets a discount when customer reloads page after payment was refused and support has to enter it again by hand which takes long on Mondays".split(
    " ",
  );

function prose(length: number, seed: number): string {
  let text = "";
  for (let at = seed; text.length < length; at = (at * 31 + 7) % 9973) text += `${words[at % words.length]} `;
  return text.slice(0, Math.max(0, length));
}

/**
 * Makes signed bodies in the shape of a recorded one.
 * @param secret Jira's webhook secret
 */
export function makeBodies(count: number, secret: string): Signed[] {
  const recorded = path.join(import.meta.dirname, "../../webhooks/jira/fixtures/ticket_labelled_cloud.json");
  const template = JSON.parse(readFileSync(recorded, "utf8"));
  return Array.from({ length: count }, (_, index) => {
    const { issue } = template;
    const change = { field: "description", fieldtype: "jira", fieldId: "description", from: null, to: null };
    const write = (text: string): string =>
      JSON.stringify({
        ...template,
        issue: {
          ...issue,
          id: String(20_000 + index),
          key: `SHOP-${index + 1}`,
          fields: { ...issue.fields, project: { ...issue.fields.project, key: "SHOP" }, description: text },
        },
        changelog: { id: String(70_000 + index), items: [{ ...change, fromString: "", toString: text.slice(0, 900) }] },
      });
    // The description comes twice: in the issue, and shortened in the changelog.
    const room = size - write("").length;
    const body = Buffer.from(write(prose(room > 1800 ? room - 900 : room / 2, index + 1)));
    return { body, signature: `sha256=${createHmac("sha256", secret).update(body).digest("hex")}` };
  });
}
