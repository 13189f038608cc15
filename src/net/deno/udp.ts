/**
 * UDP on Deno: its permissions, for `node:dgram`. A missing one would end the program when a socket
 * is bound, with an error that nothing can catch, and be an unknown error when a message is sent.
 * Independent of: how datagrams are sent.
 */
import type { UdpPermissions } from "../runtime_types.ts";

interface State {
  readonly state: string;
}

/** What is used of Deno's permissions. */
interface PermissionsSlice {
  requestSync(descriptor: { name: "net"; host: string }): State;
  querySync(descriptor: { name: "net"; host: string }): State;
}

/** How to ask for permissions, or `undefined` outside of Deno. */
export function denoUdpPermissions(): UdpPermissions | undefined {
  const { permissions } = (globalThis as { Deno?: { permissions?: PermissionsSlice } }).Deno ?? {};
  if (permissions === undefined) return undefined;
  return {
    // As Deno does for TCP, this asks the user where that is possible.
    request: (hostname, port) => denied(hostname, port, (each) => permissions.requestSync(each)),
    query: (hostname, port) => denied(hostname, port, (each) => permissions.querySync(each)),
  };
}

function denied(
  hostname: string,
  port: number,
  ask: (descriptor: { name: "net"; host: string }) => State,
): Error | null {
  const host = hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
  if (ask({ name: "net", host }).state === "granted") return null;
  const error = new Error(`Requires net access to "${host}", run again with the --allow-net flag`);
  error.name = "NotCapable";
  return error;
}
