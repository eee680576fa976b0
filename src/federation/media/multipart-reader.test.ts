import t from "tap";
import { MultipartError, multipartParts } from "./multipart-reader.ts";

interface ReadPart {
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Reads a message that arrives in pieces of a length. */
async function read(message: string, pieceBytes: number, boundary = "b"): Promise<ReadPart[]> {
  async function* pieces(): AsyncGenerator<Buffer> {
    const bytes = Buffer.from(message);
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  const parts: ReadPart[] = [];
  for await (const { headers, body } of multipartParts(pieces(), boundary)) {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    parts.push({ headers: Object.fromEntries(headers), body: Buffer.concat(chunks).toString() });
  }
  return parts;
}

const json = "Content-Type: application/json\r\n\r\n{}";
const whole = `--b\r\n${json}\r\n--b\r\ncontent-type: Text/Plain\r\nX-More:  a;\r\n b \r\n\r\nline\r\n--bc\r\n-\r\n--b--`;

t.test("parts are read the same in pieces of any length", async (t) => {
  const expected = [
    { headers: { "content-type": "application/json" }, body: "{}" },
    { headers: { "content-type": "Text/Plain", "x-more": "a; b" }, body: "line\r\n--bc\r\n-" },
  ];
  for (let pieceBytes = 1; pieceBytes <= whole.length; pieceBytes++) {
    t.strictSame(await read(whole, pieceBytes), expected, `pieces of ${pieceBytes}`);
  }
  t.strictSame(await read(`before\r\n${whole}\r\nafter`, 7), expected, "what is around it is of no account");
});

t.test("parts without headers or without a body, and boundaries with white space after them", async (t) => {
  const parts = await read("--b \t\r\n\r\nbody\r\n--b\r\nA: b\r\n\r\n\r\n--b--", 3);
  t.strictSame(parts, [
    { headers: {}, body: "body" },
    { headers: { a: "b" }, body: "" },
  ]);
});

t.test("what is no such message, or breaks off, is an error wherever it does", async (t) => {
  for (let length = 0; length < whole.length; length++) {
    await t.rejects(read(whole.slice(0, length), 5), MultipartError, `${length} bytes`);
  }
  for (const message of [
    "no boundary at all",
    `--c\r\n${json}\r\n--c--`,
    `--b\r\nno header\r\n\r\nbody\r\n--b--`,
    `--b\r\nName : spaced\r\n\r\nbody\r\n--b--`,
    `--b\r\nA: ${"x".repeat(9_000)}\r\n\r\nbody\r\n--b--`,
    `--b text\r\n\r\nbody\r\n--b--`,
  ]) {
    await t.rejects(read(message, 100), MultipartError, message.slice(0, 30));
  }
});

t.test("headers without end are not collected", async (t) => {
  let sent = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    yield Buffer.from("--b\r\n");
    for (;;) {
      sent += 1_000;
      yield Buffer.alloc(1_000, "x");
    }
  }
  await t.rejects(multipartParts(endless(), "b").next(), MultipartError);
  t.ok(sent < 20_000);
});

t.test("a part that nobody reads is passed over", async (t) => {
  async function* once(): AsyncGenerator<Buffer> {
    yield Buffer.from(whole);
  }
  const seen: string[] = [];
  for await (const { headers } of multipartParts(once(), "b")) seen.push(headers.get("content-type") ?? "");
  t.strictSame(seen, ["application/json", "Text/Plain"]);
});
