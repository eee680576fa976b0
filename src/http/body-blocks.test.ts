import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import t, { type Test } from "tap";
import { systemRandomBytes } from "../telemetry/random.ts";
import { bodyBlocks } from "./body-blocks.ts";

/** A server that answers with what is made of each request's body, and a way to send it one. */
async function serve(t: Test, use: (incoming: IncomingMessage) => Promise<string>) {
  const server = createServer((incoming, response) => {
    use(incoming).then(
      (answer) => response.end(answer),
      (error: unknown) => response.end(`failed: ${String(error)}`),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return () => request({ port, host: "127.0.0.1", method: "POST" });
}

for (const size of [0, 1, 100_000, 512 * 1024, 512 * 1024 + 1, 2_000_000]) {
  for (const announced of [true, false]) {
    const how = announced ? "with its length announced" : "in chunks";
    t.test(`a body of ${size} bytes ${how} comes whole, half a mebibyte at a time`, async (t) => {
      const body = systemRandomBytes(size);
      const received: Buffer[] = [];
      const open = await serve(t, async (incoming) => {
        for await (const block of bodyBlocks(incoming)) {
          // Whoever is slow finds the block as it was.
          await new Promise((resolve) => setTimeout(resolve, 5));
          received.push(Buffer.from(block));
        }
        return "done";
      });
      const sending = open();
      if (announced) sending.setHeader("Content-Length", size);
      else sending.write(body.subarray(0, size / 3));
      sending.end(announced ? body : body.subarray(size / 3));
      const [response] = (await once(sending, "response")) as [IncomingMessage];
      t.equal(await text(response), "done");
      t.ok(Buffer.concat(received).equals(body));
      t.ok(received.slice(0, -1).every((block) => block.length === 512 * 1024));
    });
  }
}

t.test(
  "what comes after nobody asks for more is thrown away, so that its sender reads the answer",
  async (t) => {
    const open = await serve(t, async (incoming) => {
      for await (const block of bodyBlocks(incoming)) return `refused after ${block.length}`;
      return "empty";
    });
    const sending = open();
    const answered = once(sending, "response") as Promise<[IncomingMessage]>;
    const sent = once(sending, "finish");
    sending.end(Buffer.alloc(20_000_000));
    const [response] = await answered;
    t.equal(await text(response), "refused after 524288");
    await sent;
  },
);

t.test("a body that breaks off is told from one that ends", async (t) => {
  const outcome = Promise.withResolvers<string>();
  const open = await serve(t, async (incoming) => {
    let bytes = 0;
    try {
      for await (const block of bodyBlocks(incoming)) bytes += block.length;
      outcome.resolve("ended");
    } catch {
      outcome.resolve(`broke off after ${bytes}`);
    }
    return "";
  });
  const sending = open().on("error", () => undefined);
  sending.setHeader("Content-Length", 2_000_000);
  sending.write(Buffer.alloc(600_000), () => setTimeout(() => sending.destroy(), 50));
  t.equal(await outcome.promise, "broke off after 524288");
});

t.test("a body whose sender has gone before anybody asks for it breaks off, too", async (t) => {
  const outcome = Promise.withResolvers<unknown>();
  const open = await serve(t, async (incoming) => {
    sending.destroy();
    await once(incoming, "close").catch(() => undefined);
    outcome.resolve(
      await bodyBlocks(incoming)
        .next()
        .catch((error: unknown) => error),
    );
    return "";
  });
  const sending = open().on("error", () => undefined);
  sending.setHeader("Content-Length", 1_000);
  sending.write("abc");
  t.type(await outcome.promise, Error);
});
