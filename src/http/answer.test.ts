import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import Koa, { type Context } from "koa";
import t, { type Test } from "tap";
import { answer, handOver } from "./answer.ts";
import { HandedOver, JsonChunks, Reply } from "./reply.ts";

/** A server that answers everything in one way, and what asks it. */
async function serve(t: Test, work: (koa: Context) => Promise<void>) {
  const app = new Koa();
  app.silent = true;
  const handle = app.use(work).callback();
  const server = createServer((incoming, response) => void handle(incoming, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return async (method = "GET"): Promise<IncomingMessage> => {
    const asked = request({ host: "127.0.0.1", port, method }).end();
    const [got] = (await once(asked, "response")) as [IncomingMessage];
    return got;
  };
}

t.test("every kind of body is told with its length in bytes, and the headers of every answer", async (t) => {
  const long = "ü€".repeat(40_000);
  const cases: readonly (readonly [object, string])[] = [
    [{ name: "Zoë ☕" }, '{"name":"Zoë ☕"}'],
    [new Reply(200, "naïve", { "Content-Type": "text/plain" }), "naïve"],
    [new Reply(200, Buffer.from("bytes")), "bytes"],
    [new Reply(303, undefined, { Location: "/" }), ""],
    [new JsonChunks([]), ""],
    [new JsonChunks(['{"a":"ü",', Buffer.from(`"b":"${long}"`), "}"]), `{"a":"ü","b":"${long}"}`],
    [{ long }, JSON.stringify({ long })],
  ];
  for (const [result, body] of cases) {
    const ask = await serve(t, (koa) => answer(koa, result));
    const got = await ask();
    t.equal(got.headers["content-length"], String(Buffer.byteLength(body)));
    t.equal(got.headers["access-control-allow-origin"], "*");
    t.equal((await text(got)) === body, true);
    const head = await ask("HEAD");
    t.equal(head.headers["content-length"], got.headers["content-length"]);
    t.equal(head.statusCode, got.statusCode);
    t.equal(await text(head), "");
  }
});

t.test("what has no body has no length either", async (t) => {
  for (const status of [204, 304]) {
    const ask = await serve(t, (koa) => answer(koa, new Reply(status, undefined, { ETag: '"1"' })));
    const got = await ask();
    t.match(got, { statusCode: status, headers: { etag: '"1"', "content-length": undefined } });
    t.equal(await text(got), "");
  }
});

t.test("streams are sent with their headers", async (t) => {
  const ask = await serve(t, (koa) =>
    answer(koa, new Reply(206, Readable.from(["a", "b"]), { "Content-Length": "2", "X-Some": "thing" })),
  );
  const got = await ask();
  t.match(got, { statusCode: 206, headers: { "content-length": "2", "x-some": "thing" } });
  t.equal(await text(got), "ab");
});

t.test("a fault after part of an answer has been sent breaks the connection", async (t) => {
  const broken = new HandedOver((_incoming, response) => {
    response.writeHead(200, { "Content-Length": 100 }).write("part");
    return Promise.reject(new Error("it goes wrong"));
  });
  const ask = await serve(t, async (koa) => {
    try {
      await handOver(koa, broken);
    } catch {
      await answer(koa, new Reply(500, { errcode: "M_UNKNOWN" }));
    }
  });
  const got = await ask();
  await t.rejects(text(got), { code: "ECONNRESET" });
});

t.test("a fault before anything has been sent is told", async (t) => {
  const ask = await serve(t, async (koa) => {
    try {
      await answer(koa, new Reply(200, {}, { Location: "/\n" }));
    } catch {
      await answer(koa, new Reply(500, { errcode: "M_UNKNOWN" }));
    }
  });
  const got = await ask();
  t.equal(got.statusCode, 500);
  t.equal(await text(got), '{"errcode":"M_UNKNOWN"}');
});

t.test("a stream that nobody takes is closed", async (t) => {
  for (const way of ["HEAD", "gone"]) {
    const body = Readable.from(["a"]);
    const closed = once(body, "close");
    const ask = await serve(t, async (koa) => {
      if (way === "gone") koa.res.destroy();
      await answer(koa, new Reply(200, body, { "Content-Length": "1" }));
    });
    if (way === "gone") await t.rejects(ask(), { code: "ECONNRESET" });
    else t.equal((await ask("HEAD")).headers["content-length"], "1");
    await closed;
    t.equal(body.destroyed, true);
  }
});
