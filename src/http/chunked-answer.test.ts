import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import t from "tap";
import { sendInBatches } from "./chunked-answer.ts";

/** Serves one request with some pieces, and hands out the client's side of it. */
async function serve(
  pieces: readonly Buffer[],
  receive: (answer: IncomingMessage) => Promise<void>,
  stallTimeoutMs?: number,
): Promise<ServerResponse> {
  const ended = Promise.withResolvers<ServerResponse>();
  const server = createServer((_request, response) => {
    response.setHeader(
      "Content-Length",
      pieces.reduce((sum, { length }) => sum + length, 0),
    );
    void sendInBatches(response, pieces, stallTimeoutMs).then(() => ended.resolve(response));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const asked = request({ port, host: "127.0.0.1", agent: false }).end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  await receive(answer);
  const response = await ended.promise;
  await new Promise((resolve) => server.close(resolve));
  return response;
}

const shared = Buffer.alloc(3_000_000, "ab");
const pieces = [Buffer.from("{"), shared, Buffer.alloc(100, "c"), shared, Buffer.from("}")];

t.test(
  "pieces large and small arrive whole and in order, and others get their turns meanwhile",
  async (t) => {
    let turns = 0;
    const count = setInterval(() => turns++, 1);
    await serve(pieces, async (answer) => {
      t.ok(Buffer.concat(pieces).equals(await buffer(answer)));
    });
    clearInterval(count);
    t.ok(turns > 3, `${turns} turns of a timer`);
  },
);

t.test("an answer without a body ends", async (t) => {
  await serve([], async (answer) => {
    t.equal((await buffer(answer)).length, 0);
  });
});

t.test("no more is written than a client takes, and nothing once it has gone", async (t) => {
  const many = Array.from({ length: 40 }, () => shared);
  const response = await serve(many, async (answer) => {
    await once(answer, "readable");
    answer.destroy();
  });
  t.equal(response.writableFinished, false);
  t.ok(response.destroyed);
});

t.test("a client that takes nothing any more is not waited for for ever", async (t) => {
  const many = Array.from({ length: 40 }, () => shared);
  const startMs = performance.now();
  let brokenOff: unknown;
  const response = await serve(
    many,
    async (answer) => {
      answer.once("error", (error) => (brokenOff = error));
    },
    500,
  );
  t.ok(response.destroyed);
  t.ok(performance.now() - startMs >= 500);
  t.equal(brokenOff, undefined, "the client has not looked");
});
