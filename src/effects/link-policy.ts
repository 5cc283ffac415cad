/** Which addresses may stay clickable (or be loaded as images) in texts that leave. */

/** Characters that URL parsers disagree about, and everything outside printable ASCII. */
const disputed = /[^\x21-\x7e]|[\\<>"`{}|^]/;

/**
 * The address as it may be printed, or null when it must not be a link. Only absolute http(s) addresses whose authority is, letter by
 * letter, one of `allowedHosts` (`host` or `host:port`) pass: no userinfo, no other port, no subdomain, nothing that a second URL
 * parser could read as another host.
 */
export function allowedUrl(address: string, allowedHosts: readonly string[]): string | null {
  if (disputed.test(address)) return null;
  const authority = /^https?:\/\/([^/?#]+)(?:[/?#]|$)/i.exec(address)?.[1]?.toLowerCase();
  if (authority === undefined || !URL.canParse(address)) return null;
  const { host, username, password } = new URL(address);
  if (username !== "" || password !== "") return null;
  if (authority !== host) return null;
  return allowedHosts.some((allowed) => allowed.toLowerCase() === host) ? address : null;
}
