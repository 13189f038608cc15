/**
 * What goes over the wire, the same for every side: the HTTP-shaped reply, and how requests are found in the bytes.
 *
 * No side parses HTTP. All do the same small work for a request: look for the empty line that ends it.
 */

const page = "Hello, world!\n";

/** The reply to every request. */
export const reply: Uint8Array<ArrayBuffer> = new TextEncoder().encode(
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${page.length}\r\n\r\n${page}`,
);

/** The reply after which the server closes the connection. */
export const lastReply: Uint8Array<ArrayBuffer> = new TextEncoder().encode(
  `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${page.length}\r\n\r\n${page}`,
);

/** The body of the reply, for a side that frames it itself. */
export const replyBody: string = page;

/** The size of a read buffer, where the side has to bring one. */
export const bufferSize: number = 64 * 1024;

/** Counts the requests that end in each chunk of one connection. */
export class RequestCounter {
  /** How much of "\r\n\r\n" the bytes so far end with. */
  #matched = 0;

  feed(bytes: Uint8Array): number {
    let count = 0;
    let matched = this.#matched;
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index];
      if (byte === 13) matched = matched === 2 ? 3 : 1;
      else if (byte === 10 && matched === 1) matched = 2;
      else if (byte === 10 && matched === 3) {
        count++;
        matched = 0;
      } else matched = 0;
    }
    this.#matched = matched;
    return count;
  }
}

/**
 * What a server does with what it reads: replies to each request, or sends it back, or (`once`)
 * replies to the first request and closes. Over TLS too.
 */
export type Service = "http" | "echo" | "tls-http" | "tls-echo" | "tls-once";

/** Whether a service is over TLS. */
export function isSecure(service: Service): boolean {
  return service.startsWith("tls-");
}

/** The certificate and the key of a server, from the environment, where `main.ts` has put them. */
export interface BenchIdentity {
  readonly cert: string;
  readonly key: string;
}
