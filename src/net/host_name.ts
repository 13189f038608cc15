/**
 * host_name: what is refused as a host name before a runtime sees it.
 *
 * Runtimes differ in what they make of a text that is no name and no address: Deno throws a
 * `URIError`, Node an argument error or what the resolver says, and each takes the empty text for
 * another address. So such a text is ENOTFOUND here, on every runtime (R39). Independent of: name
 * resolution itself.
 */
import { checkString } from "../check.ts";

/** The most characters of a name, and of one part of it (RFC 1035). */
const MAX_NAME = 253;
const MAX_LABEL = 63;

/** What no name and no address has: controls, spaces, and what belongs to the syntax of URLs. */
// deno-lint-ignore no-control-regex -- controls are what is looked for
const FOREIGN = /[\u0000-\u0020\u007f"#/<>?@[\\\]^`{|}]/;

/** An IPv6 address, with a zone perhaps: whether it is a right one is for the resolver to say. */
const IPV6 = /^[0-9a-f:.]*:[0-9a-f:.]*(%[\w.-]+)?$/i;

/** Whether a text can be a host name or an IP address. */
export function isHostName(text: string): boolean {
  if (text === "" || FOREIGN.test(text)) return false;
  if (text.includes(":")) return IPV6.test(text);
  const name = text.endsWith(".") ? text.slice(0, -1) : text;
  if (name.length > MAX_NAME) return false;
  return name.split(".").every((label) => label !== "" && label.length <= MAX_LABEL);
}

/**
 * Checks the option `hostname`. Whether it can be a name is seen when it is used.
 *
 * @throws {TypeError} If it is not a string.
 */
export function checkHostname(hostname: unknown): string {
  return checkString(hostname, "hostname");
}
