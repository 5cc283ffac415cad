/** Who may knock as Jira. */
import { type Headers, hubSignatureCheck, requireSecrets, type Verification } from "../receiver.ts";

/**
 * A check of Jira's signature against any of the secrets (several while one is being replaced). Cloud admin webhooks and
 * Data Center 10+ sign; Data Center 9 and older cannot, and is therefore refused.
 * @throws Error when there is no secret or an empty one
 */
export function createJiraCheck(secrets: readonly string[]): (headers: Headers, body: Buffer) => Verification {
  return hubSignatureCheck(requireSecrets("JIRA_WEBHOOK_SECRET", secrets));
}
