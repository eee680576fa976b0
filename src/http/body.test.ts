import { EventEmitter, once } from "node:events";
import { Agent, createServer, request, type ClientRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { mock } from "node:test";
import t from "tap";
import { MatrixError } from "../protocol/matrix-error.ts";
import { readJsonBody } from "./body.ts";

/** Tells of each piece that has reached the server. */
const pieces = new EventEmitter();
const server = createServer((incoming, response) => {
  readJsonBody(incoming, 3_000).then(
    (body) => response.end(JSON.stringify({ body })),
    (error: unknown) =>
      response.end(error instanceof MatrixError ? `${error.errcode} ${error.message}` : "?"),
  );
  incoming.on("data", () => pieces.emit("piece"));
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const agent = new Agent({ keepAlive: true });
t.teardown(() => {
  agent.destroy();
  server.close();
});

/** A request whose body is sent piece by piece. */
function open(headers: Record<string, string> = {}): ClientRequest {
  const { port } = server.address() as AddressInfo;
  return request({ host: "127.0.0.1", port, method: "POST", headers, agent });
}

async function answerTo(sent: ClientRequest): Promise<string> {
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const chunks = await response.toArray();
  return Buffer.concat(chunks as Buffer[]).toString();
}

/** Sends a piece, and waits until the server has it. */
async function send(sent: ClientRequest, piece: string): Promise<void> {
  const received = once(pieces, "piece");
  sent.write(piece);
  await received;
}

t.test("a body in pieces, an empty one, and what is refused", async (t) => {
  const inPieces = open();
  await send(inPieces, '{"a":');
  inPieces.end("1}");
  t.equal(await answerTo(inPieces), '{"body":{"a":1}}');
  t.equal(await answerTo(open().end()), '{"body":{}}');
  t.match(await answerTo(open().end("{")), /^M_NOT_JSON The request body is not JSON: /);
  t.match(await answerTo(open().end(Buffer.from('"\xff"', "latin1"))), /^M_NOT_JSON .* not UTF-8$/);
  const deep = `${"[".repeat(1001)}${"]".repeat(1001)}`;
  t.match(await answerTo(open().end(deep)), /^M_BAD_JSON .* deeper than 1000 levels$/);
});

t.test("a body that is too large, announced or not", async (t) => {
  t.match(await answerTo(open({ "Content-Length": "3001" }).end(" ".repeat(3001))), /^M_TOO_LARGE/);
  const unannounced = open();
  const answer = answerTo(unannounced);
  for (let piece = 0; piece < 4; piece++) await send(unannounced, " ".repeat(1_000));
  t.match(await answer, /^M_TOO_LARGE/);
  // The rest is taken and thrown away, so that whoever sends a lot comes to an end.
  const sent = once(unannounced, "finish");
  unannounced.end(" ".repeat(5_000_000));
  await sent;
});

t.test("whoever sends nothing for too long is cut off, and whoever sends slowly is not", async (t) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  t.teardown(() => mock.timers.reset());
  const slow = open();
  for (const piece of ['{"a"', ":", '"b"']) {
    await send(slow, piece);
    mock.timers.tick(29_000);
  }
  slow.end("}");
  t.equal(await answerTo(slow), '{"body":{"a":"b"}}');

  const stalled = open();
  await send(stalled, '{"a"');
  mock.timers.tick(30_000);
  t.equal(await answerTo(stalled), "M_UNKNOWN The request body did not arrive in time");
  const closed = once(stalled, "close");
  mock.timers.tick(1_000);
  await closed;
});
