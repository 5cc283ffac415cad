/** Who may knock as Confluence Data Center (Cloud has no webhooks for administrators). */
import { type Headers, hubSignatureCheck, requireSecrets, type Verification } from "../receiver.ts";

/**
 * A check of Confluence's signature against any of the secrets.
 * @throws Error when there is no secret or an empty one
 */
export function createConfluenceCheck(secrets: readonly string[]): (headers: Headers, body: Buffer) => Verification {
  return hubSignatureCheck(requireSecrets("CONFLUENCE_WEBHOOK_SECRET", secrets));
}
