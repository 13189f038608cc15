/** What happens at limits that only another process can set. */
import { assertEquals } from "@std/assert";
import { Loop } from "jsr:@broomio/core";
import { runScript } from "./support.ts";

const core = new URL("../../mod.ts", import.meta.url).href;
const net = new URL("../../src/net/mod.ts", import.meta.url).href;

Deno.test("R40: with a full descriptor table a server warns, waits, and goes on", async () => {
  const { code, stdout, stderr } = await new Loop().run(runScript(
    `import { Loop, Nursery, sleep } from "${core}";
    import { TcpClientSocket, TcpListenSocket } from "${net}";
    const warnings = [];
    // Deno panics where the source map of a module is first read while the table is full: here the
    // clients, in the same process, fail then.
    await new Loop().run(TcpClientSocket.connect({ port: 1 })).catch((error) => error.stack);
    await new Loop({ onWarning: ({ message }) => warnings.push(message) }).run(function* () {
      using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1" });
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(listener.serve(function* (stream) {
          yield* stream.send(yield* stream.recv());
        }));
        // Each connection takes two descriptors here. The last ones connect, because the system
        // does that, but are not accepted.
        const clients = [];
        let refused;
        while (refused === undefined) {
          try {
            clients.push(yield* TcpClientSocket.connect(listener.localAddr));
          } catch (error) {
            refused = error.code;
          }
        }
        console.log("refused", refused);
        while (warnings.length < 2) yield* sleep(0.02);
        console.log("warned", /EMFILE.*trying again in 0.1 s/.test(warnings[0]));
        const last = clients.pop();
        yield* last.send(new Uint8Array([7]));
        for (const client of clients) client.close();
        console.log("served", (yield* last.recv())[0]);
        nursery.cancel();
      });
    }());`,
    { limit: 60 },
  ));
  assertEquals([code, stderr], [0, ""]);
  assertEquals(stdout, "refused EMFILE\nwarned true\nserved 7\n");
});

Deno.test("R40: a server survives a descriptor table that stays full, also on Deno", async () => {
  const { code, stdout, stderr } = await new Loop().run(runScript(
    `import { Loop, Nursery, sleep } from "${core}";
    import { TcpClientSocket, TcpListenSocket } from "${net}";
    let warnings = 0;
    await new Loop({ onWarning: () => warnings++ }).run((function* () {
      using listener = yield* TcpListenSocket.listen({ hostname: "127.0.0.1" });
      yield* Nursery.open(function* (nursery) {
        nursery.startSoon(listener.serve(function* (stream) {
          yield* stream.send(yield* stream.recv());
        }));
        const client = yield* TcpClientSocket.connect(listener.localAddr);
        const files = [];
        try {
          for (;;) files.push(Deno.openSync("/dev/null"));
        } catch (error) {
          console.log(error.code);
        }
        files.pop().close(); // for the end of a client that is not accepted
        const waiting = yield* TcpClientSocket.connect(listener.localAddr);
        while (warnings < 15) yield* sleep(0.02); // Deno looks for updates meanwhile
        for (const file of files) file.close();
        yield* waiting.send(new Uint8Array([7]));
        console.log("served", (yield* waiting.recv())[0]);
        client.close();
        nursery.cancel();
      });
    })());
    Deno.exit(0);`,
    { limit: 60 },
  ));
  assertEquals([code, stderr], [0, ""]);
  assertEquals(stdout, "EMFILE\nserved 7\n");
});

Deno.test("R39: without permission it is EACCES", async () => {
  const { stdout, stderr } = await new Loop().run(runScript(
    `import { Loop } from "${core}";
    import { TcpClientSocket, TcpListenSocket, UdpSocket, UnixListenSocket } from "${net}";
    await new Loop().run(function* () {
      for (const operation of [
        TcpListenSocket.listen({ hostname: "127.0.0.1" }),
        TcpClientSocket.connect({ hostname: "127.0.0.1", port: 9 }),
        UnixListenSocket.listen({ path: "/tmp/broomio-denied.sock" }),
        UdpSocket.bind({ hostname: "127.0.0.1" }),
      ]) {
        try {
          yield* operation;
        } catch (error) {
          console.log(error.code, error.cause.name);
        }
      }
    }());`,
    { flags: ["--allow-read"] },
  ));
  assertEquals(stdout, "EACCES NotCapable\n".repeat(4), stderr);
});

Deno.test("R39: a message to where no permission is given is EACCES", async () => {
  const { stdout, stderr } = await new Loop().run(runScript(
    `import { Loop } from "${core}";
    import { UdpSocket } from "${net}";
    await new Loop().run((function* () {
      using socket = yield* UdpSocket.bind({ hostname: "127.0.0.1" });
      try {
        yield* socket.sendTo(new Uint8Array(1), { hostname: "127.0.0.1", port: 9 });
      } catch (error) {
        console.log(error.code, error.cause.name);
      }
    })());`,
    { flags: ["--allow-read", "--allow-net=127.0.0.1:0"] },
  ));
  assertEquals(stdout, "EACCES NotCapable\n", stderr);
});
