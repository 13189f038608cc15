/**
 * check_bytes: argument checks of what sends and receives bytes. They are on the hot path: what is
 * right costs one comparison. Independent of: sockets.
 */
import { checkInstance, checkInteger, wrongKind, wrongValue } from "../check.ts";

/**
 * Checks what is to be sent.
 *
 * @throws {TypeError} If it is not a `Uint8Array`.
 */
export function checkBytes(bytes: Uint8Array): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  throw wrongKind("a Uint8Array: new TextEncoder().encode(text) makes one", bytes, "bytes");
}

/**
 * Checks the most bytes that a receive may give.
 *
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is neither an integer of at least 1 nor Infinity.
 */
export function checkMax(max: number, name: string): number {
  return max === Infinity ? max : checkInteger(max, name, 1, Infinity, true);
}

/**
 * Checks the buffer that a receive fills.
 *
 * @throws {TypeError} If it is not a `Uint8Array`.
 * @throws {RangeError} If it is empty.
 */
export function checkBuffer(buffer: Uint8Array): Uint8Array {
  checkInstance(buffer, Uint8Array, "buffer");
  if (buffer.length === 0) {
    throw wrongValue("a buffer with room for at least 1 byte", 0, "buffer.length");
  }
  return buffer;
}
