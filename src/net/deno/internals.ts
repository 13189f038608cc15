/**
 * Undocumented internals of Deno: the operations under `conn.read` and `conn.write`.
 *
 * Those methods are async functions around an operation. To call the operation saves a fortieth of
 * the processor time of a small request with 64 connections, and a twentieth with 1,000. So it is
 * done where everything looks as expected, for connections that nobody else has seen; otherwise, or
 * with `runtimeNetwork({ internals: false })`, the public methods are used. Both ways pass the same
 * tests. Independent of: everything else of the port.
 */
import type { DenoConn } from "../runtime_types.ts";

/** Reads and writes the bytes of a connection, which `handle` stands for. */
export interface ByteIo {
  /** Reads into `bytes`: how many, 0 or null at the end. */
  read(handle: unknown, bytes: Uint8Array): Promise<number | null>;
  /** Writes some of `bytes`: how many. */
  write(handle: unknown, bytes: Uint8Array): Promise<number>;
}

/**
 * Deno's operations take the number of a resource, and a symbol tells where a connection has it.
 */
interface Operations extends ByteIo {
  readonly internalRidSymbol: symbol;
}

function findOperations(): Operations | null {
  const deno = (globalThis as { Deno?: { internal?: symbol } }).Deno;
  if (typeof deno?.internal !== "symbol") return null;
  const internals = (deno as Record<symbol, unknown>)[deno.internal];
  const { core } = (internals ?? {}) as { core?: Partial<Operations> };
  if (typeof core?.read !== "function" || typeof core.write !== "function") return null;
  return typeof core.internalRidSymbol === "symbol" ? core as Operations : null;
}

/** The operations, or null where they are not as expected. */
export const operations: ByteIo | null = findOperations();

/**
 * The number by which `operations` know a connection, or null where they cannot be called for it.
 */
export function resourceOf(conn: DenoConn): number | null {
  if (operations === null) return null;
  const { internalRidSymbol } = operations as Operations;
  const resource = (conn as unknown as Record<symbol, unknown>)[internalRidSymbol];
  return typeof resource === "number" ? resource : null;
}
