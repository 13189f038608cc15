/**
 * The format of frames: a length, then so many bytes; and `sendFrame`, which writes one.
 *
 * Independent of: how frames are read (framing.ts).
 */
import { checkBytes } from "../bytes/check_bytes.ts";
import {
  checkBoolean,
  checkFunction,
  checkInteger,
  checkObject,
  checkOptions,
  wrongValue,
} from "../check.ts";
import type { Operation } from "../kernel/coroutine.ts";
import type { SendStream } from "../stream.ts";

/**
 * How a frame says how long it is.
 *
 * @example
 * ```ts
 * import { all, Loop } from "jsr:@broomio/core";
 * import { BufferedReader, type FrameFormat, sendFrame } from "jsr:@broomio/core/net";
 * import { memoryStreamPair } from "jsr:@broomio/core/testing";
 * import { assertEquals } from "jsr:@std/assert";
 *
 * const format: FrameFormat = { prefixBytes: 2, littleEndian: true }; // both ends say the same
 * const [client, server] = memoryStreamPair();
 * const frame = new Uint8Array([1, 2, 3]);
 * const [, received] = await new Loop().run(all([
 *   sendFrame(client, frame, format),
 *   new BufferedReader(server).readFrame(format),
 * ]));
 * assertEquals([...received!], [1, 2, 3]);
 * ```
 */
export interface FrameFormat {
  /** Bytes of the length before each frame: 4 by default. */
  prefixBytes?: 1 | 2 | 4;
  /** The low byte first; by default the high byte is, as in most protocols. */
  littleEndian?: boolean;
}

const FORMAT_OPTIONS = ["prefixBytes", "littleEndian"] as const;
const DEFAULT_FORMAT: Required<FrameFormat> = { prefixBytes: 4, littleEndian: false };

/** Checks a format and fills in what was left out. */
export function checkFormat(format: FrameFormat, by: string): Required<FrameFormat> {
  const { prefixBytes = 4, littleEndian = false } = checkOptions(format, by, FORMAT_OPTIONS);
  if (prefixBytes === 4 && littleEndian === false) return DEFAULT_FORMAT;
  checkInteger(prefixBytes, "prefixBytes", 1, 4);
  if ((prefixBytes as number) === 3) throw wrongValue("1, 2 or 4", prefixBytes, "prefixBytes");
  return { prefixBytes, littleEndian: checkBoolean(littleEndian, "littleEndian") };
}

/**
 * Sends `bytes` as a frame that {@linkcode BufferedReader.readFrame} reads, with one `send`. A
 * checkpoint.
 *
 * @throws {TypeError} If something is of the wrong kind, or an option of the format is not known.
 * @throws {RangeError} If the bytes are too many for the length to say.
 * @example
 * ```ts
 * import { Loop, Nursery } from "jsr:@broomio/core";
 * import { BufferedReader, sendFrame } from "jsr:@broomio/core/net";
 * import { memoryStreamPair } from "jsr:@broomio/core/testing";
 *
 * await new Loop().run(Nursery.open(function* (nursery) {
 *   const [client, server] = memoryStreamPair();
 *   nursery.startSoon(sendFrame(client, new Uint8Array([1, 2, 3]), { prefixBytes: 2 }));
 *   console.log(yield* new BufferedReader(server).readFrame({ prefixBytes: 2 }));
 * }));
 * ```
 */
export function sendFrame(
  stream: SendStream,
  bytes: Uint8Array,
  format: FrameFormat = {},
): Operation<void> {
  checkFunction(checkObject(stream, "stream").send, "stream.send");
  checkBytes(bytes);
  const { prefixBytes, littleEndian } = checkFormat(format, "sendFrame");
  const most = 256 ** prefixBytes - 1;
  if (bytes.length > most) {
    throw wrongValue(`at most ${most} bytes for this prefix`, bytes.length, "bytes.length");
  }
  const frame = new Uint8Array(prefixBytes + bytes.length);
  let length = bytes.length;
  for (let index = 0; index < prefixBytes; index++) {
    frame[littleEndian ? index : prefixBytes - 1 - index] = length % 256;
    length = Math.floor(length / 256);
  }
  frame.set(bytes, prefixBytes);
  return stream.send(frame);
}
