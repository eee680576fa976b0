import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { text } from "node:stream/consumers";
import t, { type Test } from "tap";
import { systemClock } from "../telemetry/clock.ts";
import { AddressFilter } from "./address-filter.ts";
import { OutboundError } from "./errors.ts";
import { OutboundHttp, type OutboundHttpOptions, type OutboundRequest } from "./outbound-http.ts";
import { testCertificate } from "./testing/certificate.ts";

const open = new AddressFilter(["127.0.0.0/8"]);
const closed = new AddressFilter([]);

function client(t: Test, options: Partial<OutboundHttpOptions> = {}): OutboundHttp {
  const made = new OutboundHttp({ filter: open, clock: systemClock, ...options });
  t.teardown(() => made[Symbol.dispose]());
  return made;
}

async function portOf(t: Test, server: Pick<Server, "listen" | "close" | "address" | "once">) {
  server.listen(0, "127.0.0.1");
  await once(server as Server, "listening");
  t.teardown(() => {
    server.close();
    if ("closeAllConnections" in server) (server as Server).closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

async function serve(t: Test, listener: RequestListener): Promise<number> {
  return portOf(t, createServer(listener));
}

function get(url: string, rest: Partial<OutboundRequest> = {}): OutboundRequest {
  return { method: "GET", url: new URL(url), timeoutMs: 5_000, maxResponseBytes: 1_000, ...rest };
}

async function failureOf(request: Promise<unknown>): Promise<string> {
  try {
    await request;
  } catch (error) {
    if (error instanceof OutboundError) return error.failure;
    throw error;
  }
  return "no failure";
}

const resolveTo = (...addresses: string[]) => {
  const asked: string[] = [];
  const resolve = async (hostname: string) => {
    asked.push(hostname);
    const address = addresses[Math.min(asked.length, addresses.length) - 1] ?? "";
    return [{ address, family: 4 }];
  };
  return { asked, resolve };
};

t.test("a request and its answer, whatever the status", async (t) => {
  const port = await serve(t, (request, response) => {
    const answer = async () => {
      const { method, url, headers } = request;
      response.statusCode = 418;
      response.end(JSON.stringify({ method, url, type: headers["content-type"], body: await text(request) }));
    };
    void answer();
  });
  const headers = { "Content-Type": "text/plain" };
  const url = `http://127.0.0.1:${port}/path?query=1`;
  const response = await client(t).request({ ...get(url), method: "POST", headers, body: "grüße" });
  t.equal(response.status, 418);
  t.strictSame(JSON.parse(response.body.toString()), {
    method: "POST",
    url: "/path?query=1",
    type: "text/plain",
    body: "grüße",
  });
});

t.test("addresses that the filter refuses are not connected to, as names or as numbers", async (t) => {
  let connections = 0;
  const server = createTcpServer(() => {
    connections += 1;
  });
  const port = await portOf(t, server as unknown as Server);
  const { resolve } = resolveTo("127.0.0.1");
  const http = client(t, { filter: closed, resolve });
  const hosts = ["127.0.0.1", "localhost", "name.test", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"];
  for (const host of hosts) {
    for (const protocol of ["http", "https"]) {
      const url = `${protocol}://${host}:${port}/`;
      t.equal(await failureOf(http.request(get(url))), "refused-address", url);
    }
  }
  t.equal(connections, 0);
});

t.test("of a name's addresses those that are allowed are used", async (t) => {
  const port = await serve(t, (_request, response) => response.end("here"));
  const resolve = async () => [
    { address: "10.0.0.1", family: 4 },
    { address: "127.0.0.1", family: 4 },
  ];
  const { body } = await client(t, { resolve }).request(get(`http://name.test:${port}/`));
  t.equal(body.toString(), "here");
});

t.test("a name that changes its address is checked with each connection", async (t) => {
  const port = await serve(t, (_request, response) => {
    response.setHeader("Connection", "close");
    response.end("here");
  });
  const { asked, resolve } = resolveTo("127.0.0.1", "10.0.0.1");
  const http = client(t, { resolve });
  t.equal((await http.request(get(`http://name.test:${port}/`))).status, 200);
  t.equal(await failureOf(http.request(get(`http://name.test:${port}/`))), "refused-address");
  t.strictSame(asked, ["name.test", "name.test"]);
});

t.test("redirects are an answer unless they are to be followed; each hop is filtered", async (t) => {
  const port = await serve(t, (request, response) => {
    const [, kind, count = "0"] = (request.url ?? "").split("/");
    if (kind === "end") return response.end(String(request.headers["x-secret"]));
    const next = Number(count) > 1 ? `/chain/${Number(count) - 1}` : "/end";
    const target = kind === "private" ? "http://10.0.0.1/" : next;
    return response.writeHead(302, { Location: target }).end();
  });
  const http = client(t);
  const base = `http://127.0.0.1:${port}`;
  t.equal((await http.request(get(`${base}/chain/1`))).status, 302);
  const headers = { "X-Secret": "kept" };
  const followed = await http.request(get(`${base}/chain/3`, { maxRedirects: 3, headers }));
  t.match(followed, { status: 200, url: { pathname: "/end" } });
  t.equal(followed.body.toString(), "kept");
  t.equal(await failureOf(http.request(get(`${base}/chain/4`, { maxRedirects: 3 }))), "too-many-redirects");
  t.equal(await failureOf(http.request(get(`${base}/private`, { maxRedirects: 3 }))), "refused-address");
});

t.test("headers do not follow a redirect to another host", async (t) => {
  const otherPort = await serve(t, (request, response) => response.end(String(request.headers["x-secret"])));
  const port = await serve(t, (_request, response) =>
    response.writeHead(302, { Location: `http://127.0.0.1:${otherPort}/` }).end(),
  );
  const request = get(`http://127.0.0.1:${port}/`, { maxRedirects: 1, headers: { "X-Secret": "kept" } });
  t.equal((await client(t).request(request)).body.toString(), "undefined");
});

t.test("every wait ends: for a connection, for the beginning of an answer, for its end", async (t) => {
  const silentPort = await portOf(t, createTcpServer() as unknown as Server);
  const http = client(t, { connectTimeoutMs: 100, headersTimeoutMs: 100 });
  t.equal(await failureOf(http.request(get(`https://127.0.0.1:${silentPort}/`))), "timeout", "no TLS");
  t.equal(await failureOf(http.request(get(`http://127.0.0.1:${silentPort}/`))), "timeout", "no answer");
  const resolve = () => new Promise<never>(() => undefined);
  const lost = client(t, { connectTimeoutMs: 100, resolve });
  t.equal(await failureOf(lost.request(get("http://name.test/"))), "timeout", "no address");
  const slowPort = await serve(t, (_request, response) => void response.write("begun"));
  const slow = http.request(get(`http://127.0.0.1:${slowPort}/`, { timeoutMs: 200 }));
  t.equal(await failureOf(slow), "timeout", "no end");
});

t.test("an answer that is too long is not read to its end", async (t) => {
  const port = await serve(t, (_request, response) => response.end("x".repeat(1_001)));
  const http = client(t);
  t.equal(await failureOf(http.request(get(`http://127.0.0.1:${port}/`))), "too-large");
  const fitting = get(`http://127.0.0.1:${port}/`, { maxResponseBytes: 1_001 });
  t.equal((await http.request(fitting)).body.length, 1_001);
});

t.test("of an answer only so much is read as is of use", async (t) => {
  const port = await serve(t, (request, response) => {
    response.setHeader("Content-Type", request.url === "/page" ? "text/html" : "video/mp4");
    response.write("x".repeat(500));
    // The answer to /page ends; the other goes on for ever.
    if (request.url === "/page") response.end();
  });
  const bytesOfUse = ({ "content-type": type }: IncomingHttpHeaders) => (type === "text/html" ? 500 : 0);
  const page = await client(t).request(get(`http://127.0.0.1:${port}/page`, { bytesOfUse }));
  t.match(page, { status: 200, isComplete: true });
  t.equal(page.body.length, 500);
  const film = await client(t).request(get(`http://127.0.0.1:${port}/film`, { bytesOfUse }));
  t.match(film, { status: 200, isComplete: false });
  t.equal(film.body.length, 0);
});

t.test("each URL has to be permitted, and headers without secrets go everywhere", async (t) => {
  const seen: (string | undefined)[] = [];
  const last = await serve(t, ({ headers }, response) => {
    seen.push(headers["accept-language"]);
    response.end("here");
  });
  const first = await serve(t, (_request, response) => {
    response.writeHead(302, { Location: `http://127.0.0.1:${last}/` }).end();
  });
  const asked = get(`http://127.0.0.1:${first}/`, { maxRedirects: 1, headers: { "Accept-Language": "de" } });
  t.equal((await client(t).request({ ...asked, headersForAll: true })).body.toString(), "here");
  await client(t).request(asked);
  t.strictSame(seen, ["de", undefined]);
  const permits = ({ port }: URL) => port === String(first);
  t.equal(await failureOf(client(t).request({ ...asked, permits })), "refused-url");
  t.equal(seen.length, 2);
});

t.test("whoever has asked can break off", async (t) => {
  const port = await serve(t, () => undefined);
  const abort = new AbortController();
  const request = client(t).request(get(`http://127.0.0.1:${port}/`, { signal: abort.signal }));
  setTimeout(() => abort.abort(), 20);
  t.equal(await failureOf(request), "aborted");
});

t.test("an answer is read while it arrives; what its reader throws is told as it is", async (t) => {
  const begun = Promise.withResolvers<void>();
  const port = await serve(t, (_request, response) => {
    response.write("first");
    void begun.promise.then(() => response.destroy());
  });
  const http = client(t);
  const request = get(`http://127.0.0.1:${port}/`);
  const own = new Error("enough");
  await t.rejects(
    http.stream(request, async ({ body }) => {
      for await (const chunk of body) if (chunk.toString() === "first") throw own;
    }),
    own,
  );
  const brokenOff = http.stream(request, async ({ body }) => {
    for await (const chunk of body) if (chunk.toString() === "first") begun.resolve();
  });
  t.equal(await failureOf(brokenOff), "unreachable");
});

t.test("hosts that are not there, and URLs that are no good", async (t) => {
  const http = client(t);
  const server = createServer();
  const port = await portOf(t, server);
  server.close();
  await once(server, "close");
  t.equal(await failureOf(http.request(get(`http://127.0.0.1:${port}/`))), "unreachable");
  t.equal(await failureOf(http.request(get("http://user:secret@127.0.0.1/"))), "bad-url");
  t.equal(await failureOf(http.request(get("file:///etc/passwd"))), "bad-url");
});

t.test("TLS: the certificate has to be trusted, and to be that of the host", async (t) => {
  const certificate = testCertificate("127.0.0.1", "right.test");
  const server = createTlsServer(certificate, (_request, response) => response.end("secret"));
  const port = await portOf(t, server);
  const { resolve } = resolveTo("127.0.0.1");
  const trusting = client(t, { extraCa: certificate.cert, resolve });
  t.equal((await trusting.request(get(`https://127.0.0.1:${port}/`))).body.toString(), "secret");
  t.equal((await trusting.request(get(`https://right.test:${port}/`))).status, 200);
  t.equal(await failureOf(trusting.request(get(`https://wrong.test:${port}/`))), "unreachable");
  t.equal(await failureOf(client(t).request(get(`https://127.0.0.1:${port}/`))), "unreachable");
});

t.test("a connection that the host has closed meanwhile is no failure of what may be repeated", async (t) => {
  const used = new WeakSet<object>();
  const port = await serve(t, (request, response) => {
    if (used.has(request.socket)) return request.socket.destroy();
    used.add(request.socket);
    return response.end(request.method);
  });
  const http = client(t);
  const url = `http://127.0.0.1:${port}/`;
  const body = async (rest: Partial<OutboundRequest>) => (await http.request(get(url, rest))).body.toString();
  t.equal(await body({}), "GET");
  t.equal(await body({}), "GET");
  t.equal(await body({ method: "PUT", body: "x" }), "PUT");
  t.equal(await body({ method: "POST", body: "x", isRepeatable: true }), "POST");
  t.equal(await failureOf(http.request(get(url, { method: "POST", body: "x" }))), "unreachable");
});
