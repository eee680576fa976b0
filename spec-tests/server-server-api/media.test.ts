import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import sharp from "sharp";
import t from "tap";
import { anonymous } from "../support/client.ts";
import { twoServersAndPeer } from "../support/federated-room.ts";
import { fetchBytes, mediaPath, upload } from "../support/media.ts";
import { assertMatchesSpec } from "../support/openapi.ts";

const maxBytes = 2_000_000;
const {
  alice,
  bob,
  one: here,
  two: there,
  peer,
} = await twoServersAndPeer(t, {
  media: { max_upload_bytes: maxBytes, unauthenticated_downloads: "all" },
});
const federation = "/_matrix/federation/v1/media";
const background = { r: 10, g: 200, b: 100 };
const picture = await sharp({ create: { width: 500, height: 400, channels: 3, background } })
  .png()
  .toBuffer();

const download = (uri: string, rest = "") =>
  fetchBytes(bob, "getContentAuthed", mediaPath("download", uri, rest));
const legacy = (uri: string, rest = "") =>
  fetchBytes(anonymous(there), "getContent", `/_matrix/media/v3/download/${uri.slice(6)}${rest}`);
const idOf = (uri: string) => uri.split("/").at(-1) ?? "";

interface Part {
  readonly headers: string;
  readonly body: Buffer;
}

/** The two parts of an answer, read in another way than the server does. */
async function partsOf(response: Response): Promise<readonly Part[]> {
  const [, boundary = ""] = /^multipart\/mixed; boundary=([\w-]+)$/.exec(
    response.headers.get("content-type") ?? "",
  ) ?? [""];
  const text = Buffer.from(await response.arrayBuffer()).toString("latin1");
  const [before, ...parts] = text.split(`--${boundary}`);
  if (before !== "" || parts.pop() !== "--\r\n")
    throw new Error(`no multipart message: ${text.slice(0, 200)}`);
  return parts.map((part) => {
    const end = part.indexOf("\r\n\r\n");
    return { headers: part.slice(2, end), body: Buffer.from(part.slice(end + 4, -2), "latin1") };
  });
}

t.test("getContent: other servers get a file in a multipart answer, small or large", async (t) => {
  for (const size of [0, 1, 70_000, maxBytes]) {
    const bytes = randomBytes(size);
    const uri = await upload(alice, bytes, { type: "text/plain", filename: "Käse.txt" });
    const response = await peer.fetch(here, "GET", `${federation}/download/${idOf(uri)}`);
    t.equal(response.status, 200);
    const [json, file] = await partsOf(response);
    t.match(json?.headers, /^Content-Type: application\/json$/);
    t.equal(json?.body.toString(), "{}");
    t.match(file?.headers, "Content-Type: text/plain");
    t.match(file?.headers, "Content-Disposition: inline; filename*=utf-8''K%C3%A4se.txt");
    t.ok(file?.body.equals(bytes), `${size} bytes`);
  }
});

t.test("getContent, getContentThumbnail: only for servers that sign, and what is not there", async (t) => {
  const uri = await upload(alice, "text");
  const unsigned = await fetch(`${here.url}${federation}/download/${idOf(uri)}`);
  t.equal(unsigned.status, 401);
  const reserved = await alice.post("/_matrix/media/v1/create", {});
  const pending = idOf(String(reserved.body["content_uri"]));
  for (const [path, operationId, status, errcode] of [
    [`download/nothing`, "getContent", 404, "M_NOT_FOUND"],
    [`download/${pending}?timeout_ms=0`, "getContent", 504, "M_NOT_YET_UPLOADED"],
    [`thumbnail/${pending}?timeout_ms=0&width=1&height=1`, "getContentThumbnail", 504, "M_NOT_YET_UPLOADED"],
    [`thumbnail/${idOf(uri)}?width=10&height=10`, "getContentThumbnail", 400, "M_UNKNOWN"],
    [`thumbnail/${idOf(uri)}?width=0&height=10`, "getContentThumbnail", 400, "M_INVALID_PARAM"],
    [`thumbnail/${idOf(uri)}?width=10`, "getContentThumbnail", 400, "M_MISSING_PARAM"],
  ] as const) {
    const answer = await peer.request(here, "GET", `${federation}/${path}`);
    t.match([answer.status, answer.body["errcode"]], [status, errcode], path);
    assertMatchesSpec(operationId, answer.status, answer.body);
  }
});

t.test("getContentThumbnail: the same picture that users get", async (t) => {
  const uri = await upload(alice, picture, { type: "image/png" });
  const query = "?width=96&height=96&method=crop";
  const own = await fetchBytes(alice, "getContentThumbnailAuthed", mediaPath("thumbnail", uri, query));
  const response = await peer.fetch(here, "GET", `${federation}/thumbnail/${idOf(uri)}${query}`);
  const [, file] = await partsOf(response);
  t.ok(file?.body.equals(own.bytes));
  t.match(file?.headers, /Content-Type: image\/\w+/);
});

t.test(
  "getContentAuthed, getContentThumbnailAuthed, getContent: files of another server, fetched once",
  async (t) => {
    const bytes = randomBytes(maxBytes);
    const uri = await upload(alice, bytes, { type: "Text/Plain; charset=utf-8", filename: "\u{1f414}.txt" });
    const got = await download(uri);
    t.equal(got.status, 200);
    t.ok(got.bytes.equals(bytes));
    t.equal(got.headers.get("content-type"), "Text/Plain; charset=utf-8");
    t.equal(got.headers.get("content-disposition"), "inline; filename*=utf-8''%F0%9F%90%94.txt");
    const part = await fetchBytes(bob, "getContentAuthed", mediaPath("download", uri), {
      Range: "bytes=5-9",
    });
    t.ok(part.bytes.equals(bytes.subarray(5, 10)));
    const image = await upload(alice, picture, { type: "image/png" });
    const thumbnail = await fetchBytes(
      bob,
      "getContentThumbnailAuthed",
      mediaPath("thumbnail", image, "?width=32&height=32&method=crop"),
    );
    t.match(await sharp(thumbnail.bytes).metadata(), { width: 32, height: 32 });
    t.equal((await legacy(image)).status, 200);
    t.match(await legacy(image, "?allow_remote=false"), { status: 404, json: { errcode: "M_NOT_FOUND" } });
    // The file is kept: it is there without its server.
    await here[Symbol.asyncDispose]();
    t.ok((await download(uri)).bytes.equals(bytes));
    const unknown = await download(`mxc://${here.name}/another`);
    t.match([unknown.status, unknown.json["errcode"]], [502, "M_CONNECTION_FAILED"]);
  },
);

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** Has the peer answer for a new file. */
function serveFile(answer: Answer): string {
  const mediaId = randomBytes(8).toString("hex");
  peer.serve(`${federation}/download/${mediaId}?`, (request, response) => answer(response, request));
  return `mxc://${peer.name}/${mediaId}`;
}

function multipart(body: string | Buffer, headers = "Content-Type: text/plain"): Answer {
  return (response) => {
    response.writeHead(200, { "Content-Type": "multipart/mixed; boundary=gc0p4Jq0M2Yt08jU534c0p" });
    response.write("--gc0p4Jq0M2Yt08jU534c0p\r\nContent-Type: application/json\r\n\r\n{}\r\n");
    response.write(`--gc0p4Jq0M2Yt08jU534c0p\r\n${headers}\r\n\r\n`);
    response.write(body);
    response.end("\r\n--gc0p4Jq0M2Yt08jU534c0p--\r\n");
  };
}

const refused = (status: number, errcode: string): Answer => {
  return (response) => {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ errcode, error: "no" }));
  };
};

const askedFor = (uri: string) => peer.uris.filter((asked) => asked.includes(idOf(uri)));

t.test("getContent of a server of another make, and of one that knows the old path only", async (t) => {
  const answered = await download(serveFile(multipart("from afar")));
  t.equal(answered.bytes.toString(), "from afar");
  const old = serveFile(refused(404, "M_UNRECOGNIZED"));
  const path = `/_matrix/media/v3/download/${encodeURIComponent(peer.name)}/${idOf(old)}`;
  let authorization: string | undefined = "none was sent";
  peer.serve(path, (request, response) => {
    ({ authorization } = request.headers);
    response.writeHead(200, { "Content-Disposition": 'attachment; filename="old;name.txt"' });
    response.end("old");
  });
  const got = await download(old, "?timeout_ms=1234");
  t.equal(got.bytes.toString(), "old");
  t.equal(got.headers.get("content-type"), "application/octet-stream");
  t.equal(got.headers.get("content-disposition"), 'attachment; filename="old;name.txt"');
  t.equal(authorization, undefined);
  t.strictSame(askedFor(old), [
    `${federation}/download/${idOf(old)}?timeout_ms=1234`,
    `${path}?allow_remote=false&timeout_ms=1234`,
  ]);
  const proxied = serveFile((response) => response.writeHead(400).end("no such path"));
  peer.serve(
    `/_matrix/media/v3/download/${encodeURIComponent(peer.name)}/${idOf(proxied)}`,
    (_request, response) => response.end("behind a proxy"),
  );
  t.equal((await download(proxied)).bytes.toString(), "behind a proxy");
});

t.test(
  "a place where the file is: followed without signature, by TLS, to addresses that may be",
  async (t) => {
    let headers: IncomingMessage["headers"] = {};
    peer.serve("/cdn/file", (request, response) => {
      ({ headers } = request);
      response.writeHead(200, { "Content-Type": "image/png" });
      response.end(picture);
    });
    peer.serve("/cdn/again", (_request, response) => {
      response.writeHead(302, { Location: "/cdn/file" });
      response.end();
    });
    peer.serve("/cdn/loop", (_request, response) => {
      response.writeHead(302, { Location: "/cdn/loop" });
      response.end();
    });
    peer.serve("/cdn/none", (_request, response) => response.writeHead(404).end());
    const at = (location: string) => download(serveFile(multipart("", `Location: ${location}`)));
    const found = await at(`https://${peer.name}/cdn/again`);
    t.ok(found.bytes.equals(picture));
    t.equal(found.headers.get("content-type"), "image/png");
    t.equal(headers["authorization"], undefined);
    for (const location of [
      `https://${peer.name}/cdn/loop`,
      `https://${peer.name}/cdn/none`,
      `http://${peer.name}/cdn/file`,
      "https://169.254.169.254/latest/meta-data",
      "https://10.0.0.1/",
      "https://[::1]/",
      "file:///etc/passwd",
      "/cdn/file",
    ]) {
      const answer = await at(location);
      t.match([answer.status, answer.json["errcode"]], [502, "M_BAD_STATUS"], location);
    }
  },
);

t.test("answers that are no file are none; failures are remembered for a while", async (t) => {
  const typed = (type: string, body: string): Answer => {
    return (response) => response.writeHead(200, { "Content-Type": type }).end(body);
  };
  const cases: readonly [string, Answer, number, string][] = [
    ["not found", refused(404, "M_NOT_FOUND"), 404, "M_NOT_FOUND"],
    ["forbidden", refused(403, "M_FORBIDDEN"), 404, "M_NOT_FOUND"],
    ["a fault", refused(500, "M_UNKNOWN"), 502, "M_BAD_STATUS"],
    ["too large there", refused(502, "M_TOO_LARGE"), 502, "M_TOO_LARGE"],
    ["no multipart", typed("text/plain", "text"), 502, "M_BAD_STATUS"],
    ["no boundary", typed("multipart/mixed", "--\r\n\r\n\r\n----"), 502, "M_BAD_STATUS"],
    ["one part", typed("multipart/mixed; boundary=b", "--b\r\n\r\n{}\r\n--b--"), 502, "M_BAD_STATUS"],
    [
      "broken off",
      typed("multipart/mixed; boundary=b", "--b\r\n\r\n{}\r\n--b\r\n\r\nfile"),
      502,
      "M_BAD_STATUS",
    ],
    [
      "compressed",
      (response) => response.writeHead(200, { "Content-Encoding": "gzip" }).end("x"),
      502,
      "M_BAD_STATUS",
    ],
    ["too long", multipart(Buffer.alloc(maxBytes + 1)), 502, "M_TOO_LARGE"],
    [
      "shorter than it says",
      (response) => {
        const type = "multipart/mixed; boundary=b";
        response.writeHead(200, { "Content-Type": type, "Content-Length": 1_000 });
        response.write("--b\r\n\r\n{}\r\n--b\r\n\r\nfile\r\n", () => response.destroy());
      },
      502,
      "M_BAD_STATUS",
    ],
  ];
  for (const [what, answer, status, errcode] of cases) {
    const uri = serveFile(answer);
    for (const time of ["first", "again"]) {
      const got = await download(uri);
      t.match([got.status, got.json["errcode"]], [status, errcode], `${what}: ${time}`);
    }
    t.equal(askedFor(uri).length, 1, what);
  }
});

t.test("an announced length that is too large is not waited for", async (t) => {
  const closed = Promise.withResolvers<void>();
  const uri = serveFile((response) => {
    const type = "multipart/mixed; boundary=b";
    response.writeHead(200, { "Content-Type": type, "Content-Length": 10 * 2 ** 30 });
    response.write("--b\r\n\r\n{}\r\n--b\r\n\r\nfile");
    response.once("close", () => closed.resolve());
  });
  t.equal((await download(uri)).json["errcode"], "M_TOO_LARGE");
  await closed.promise;
});

t.test("what is not yet uploaded there can be asked for again at once", async (t) => {
  const answers = [refused(504, "M_NOT_YET_UPLOADED"), multipart("now")];
  const uri = serveFile((response, request) => answers.shift()?.(response, request));
  t.match(await download(uri), { status: 504, json: { errcode: "M_NOT_YET_UPLOADED" } });
  t.equal((await download(uri)).bytes.toString(), "now");
});

t.test("however many ask for a file, it is fetched once", async (t) => {
  const begun = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const uri = serveFile((response, request) => {
    begun.resolve();
    void goOn.promise.then(() => multipart("for all")(response, request));
  });
  const all = Promise.all(Array.from({ length: 60 }, () => download(uri)));
  await begun.promise;
  goOn.resolve();
  for (const { bytes } of await all) t.equal(bytes.toString(), "for all");
  t.equal(askedFor(uri).length, 1);
});

t.test("types and names of other servers are made safe", async (t) => {
  const odd = await download(
    serveFile(
      multipart(
        "<script>",
        `Content-Type: text/html, a\r\nContent-Disposition: inline; filename="${"x".repeat(2_000)}"`,
      ),
    ),
  );
  t.equal(odd.headers.get("content-type"), "application/octet-stream");
  t.equal(odd.headers.get("content-disposition"), "attachment");
});

t.test("what can be no file of a server is not asked for", async (t) => {
  for (const uri of [
    `mxc://${peer.name}/a%2Fb`,
    `mxc://no_server!/abc`,
    `mxc://${peer.name}/${"x".repeat(256)}`,
  ]) {
    t.match(await download(uri), { status: 404, json: { errcode: "M_NOT_FOUND" } }, uri.slice(0, 60));
  }
});
