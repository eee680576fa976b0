import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import t from "tap";
import { jsonStream } from "./json-stream.ts";
import { JsonChunks, Reply } from "./reply.ts";

const large = "x".repeat(300 * 1024);

async function* piecesOf(...pieces: (string | Error)[]): AsyncGenerator<string, void, undefined> {
  for (const piece of pieces) {
    if (piece instanceof Error) throw piece;
    yield piece;
  }
}

function streamOf(answer: unknown): Readable {
  if (answer instanceof Reply && answer.body instanceof Readable) return answer.body;
  throw new Error("the answer is no stream");
}

t.test("a small answer is sent whole", async (t) => {
  const answer = await jsonStream(piecesOf("{", "}"));
  t.ok(answer instanceof JsonChunks && answer.pieces().join("") === "{}");
});

t.test("a large answer is streamed", async (t) => {
  const answer = await jsonStream(piecesOf("a", large, "b", "", "c"));
  t.equal(await text(streamOf(answer)), `a${large}bc`);
});

t.test("what fails first is an error answer, what fails later breaks the stream off", async (t) => {
  await t.rejects(jsonStream(piecesOf("a", new Error("at once"))), { message: "at once" });
  const answer = await jsonStream(piecesOf(large, new Error("later")));
  await t.rejects(text(streamOf(answer)), { message: "later" });
});
