import t, { type Test } from "tap";
import { VerifyKey } from "../protocol/ed25519.ts";
import type { ServerName } from "../protocol/identifiers.ts";
import { isRequestSigned, parseXMatrix } from "../protocol/x-matrix.ts";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { FederationError, type FederationRequest } from "./federation-client.ts";
import type { SignedFederationClient } from "./signed-client.ts";
import { FederationNetwork } from "./testing/federation-network.ts";

const uri = "/_matrix/federation/v1/version";

function get(destination: string, more: Partial<FederationRequest> = {}): FederationRequest {
  return { destination: destination as ServerName, method: "GET", uri, timeoutMs: 20_000, ...more };
}

/** Which server answers, or why none does. */
async function reached(client: SignedFederationClient, destination: string): Promise<unknown> {
  try {
    const answer = await client.request(get(destination));
    return (answer as { server: unknown }).server;
  } catch (error) {
    if (error instanceof FederationError) return error.failure;
    throw error;
  }
}

const loopback = { a: ["127.0.0.1"] };

async function wellKnown(
  t: Test,
  network: FederationNetwork,
  host: string,
  document: () => { status?: number; headers?: Record<string, string>; body: string },
): Promise<number> {
  t.comment(`${host} has a document`);
  return network.serve(`${host} document`, [host], (_request, response) => {
    const { status = 200, headers = {}, body } = document();
    response.writeHead(status, headers).end(body);
  });
}

t.test("1. an IP literal is connected to, and its certificate is for the address", async (t) => {
  const network = await FederationNetwork.open(t);
  const port = await network.serve("literal", ["127.0.0.1"]);
  const other = await network.serve("named", ["a.test"]);
  t.equal(await reached(network.client(), `127.0.0.1:${port}`), "literal");
  t.equal(await reached(network.client({ defaultPort: port }), "127.0.0.1"), "literal");
  t.equal(await reached(network.client(), `127.0.0.1:${other}`), "unreachable", "another certificate");
  t.same(
    network.seen.map(({ host }) => host),
    [`127.0.0.1:${port}`, "127.0.0.1"],
  );
  t.same(network.dns.questions, []);
  for (const name of ["10.0.0.1", "[::1]", "a.test:0", "a.test:99999"]) {
    t.equal(await reached(network.client(), name), "unreachable", name);
  }
});

t.test("2. a name with a port is looked up, also through an alias, and nothing else is asked", async (t) => {
  const network = await FederationNetwork.open(t, { "a.test": { cname: "b.test" }, "b.test": loopback });
  const port = await network.serve("a", ["a.test"]);
  const wrong = await network.serve("wrong", ["b.test"]);
  t.equal(await reached(network.client(), `a.test:${port}`), "a");
  t.equal(network.seen[0]?.host, `a.test:${port}`);
  t.equal(await reached(network.client(), `a.test:${wrong}`), "unreachable", "a certificate for the alias");
  t.equal(await reached(network.client(), `absent.test:${port}`), "unreachable");
  t.notOk(network.dns.questions.some((question) => question.includes("_tcp")));
});

t.test("3. a document delegates to an address, to a name with a port, or to a name", async (t) => {
  const network = await FederationNetwork.open(t, {
    "a.test": loopback,
    "b.test": loopback,
    "c.test": loopback,
    "_matrix-fed._tcp.c.test": { srv: [] },
  });
  let delegate = "";
  const wellKnownPort = await wellKnown(t, network, "a.test", () => ({
    body: JSON.stringify({ "m.server": delegate }),
  }));
  const literal = await network.serve("literal", ["127.0.0.1"]);
  const named = await network.serve("b", ["b.test"]);
  const plain = await network.serve("c", ["c.test"]);
  const to = async (name: string, defaultPort = plain) => {
    delegate = name;
    network.seen.length = 0;
    return [
      await reached(network.client({ wellKnownPort, defaultPort }), "a.test"),
      network.seen.at(-1)?.host,
    ];
  };
  t.same(await to(`127.0.0.1:${literal}`), ["literal", `127.0.0.1:${literal}`]);
  t.same(await to("127.0.0.1", literal), ["literal", "127.0.0.1"]);
  t.same(await to(`b.test:${named}`), ["b", `b.test:${named}`]);
  t.same(await to("c.test"), ["c", "c.test"]);
  t.equal((await to(`c.test:${named}`))[0], "unreachable", "the certificate is for another name");
  network.dns.zone = {
    ...network.dns.zone,
    "_matrix-fed._tcp.c.test": { srv: [{ port: plain, target: "b.test" }] },
  };
  t.same(await to("c.test", 1), ["c", "c.test"], "3.3");
  network.dns.zone = { ...network.dns.zone, "_matrix-fed._tcp.c.test": {} };
  network.dns.zone = {
    ...network.dns.zone,
    "_matrix._tcp.c.test": { srv: [{ port: plain, target: "b.test" }] },
  };
  t.same(await to("c.test", 1), ["c", "c.test"], "3.4");
});

t.test(
  "4. to 6. without a valid document, records and then the default port lead to the server",
  async (t) => {
    const network = await FederationNetwork.open(t, { "a.test": loopback, "host.test": loopback });
    const port = await network.serve("a", ["a.test"]);
    const bodies = [
      "",
      "no JSON",
      "[]",
      "{}",
      '{"m.server":5}',
      '{"m.server":"not a name"}',
      '{"m.server":"b.test:0"}',
    ];
    let body = "";
    let status = 200;
    const wellKnownPort = await wellKnown(t, network, "a.test", () => ({ status, body }));
    for (body of bodies) {
      t.equal(await reached(network.client({ wellKnownPort, defaultPort: port }), "a.test"), "a", body);
    }
    body = '{"m.server":"b.test"}';
    for (status of [404, 500, 204]) {
      t.equal(
        await reached(network.client({ wellKnownPort, defaultPort: port }), "a.test"),
        "a",
        `${status}`,
      );
    }
    t.equal(network.seen.at(-1)?.host, "a.test");
    const records = { srv: [{ port, target: "host.test" }] };
    network.dns.zone = { ...network.dns.zone, "_matrix._tcp.a.test": records };
    t.equal(await reached(network.client(), "a.test"), "a", "5.");
    network.dns.zone = {
      ...network.dns.zone,
      "_matrix-fed._tcp.a.test": records,
      "_matrix._tcp.a.test": { srv: [{ port: 1, target: "host.test" }] },
    };
    t.equal(await reached(network.client(), "a.test"), "a", "4. comes before 5.");
    t.equal(network.seen.at(-1)?.host, "a.test");
    network.dns.zone = {
      ...network.dns.zone,
      "_matrix-fed._tcp.a.test": { srv: [{ port: 0, target: "." }] },
    };
    t.equal(await reached(network.client({ defaultPort: port }), "a.test"), "unreachable", "no service");
    network.dns.zone = { ...network.dns.zone, "_matrix-fed._tcp.a.test": { fails: true } };
    t.equal(await reached(network.client({ defaultPort: port }), "a.test"), "a", "a resolver that fails");
  },
);

t.test("of several hosts the next is tried when one cannot be connected to", async (t) => {
  const network = await FederationNetwork.open(t, {
    "up.test": loopback,
    "private.test": { a: ["10.0.0.1"] },
  });
  const port = await network.serve("a", ["a.test"]);
  network.dns.zone = {
    ...network.dns.zone,
    "_matrix-fed._tcp.a.test": {
      srv: [
        { priority: 1, port: 1, target: "up.test" },
        { priority: 2, port, target: "absent.test" },
        { priority: 3, port, target: "private.test" },
        { priority: 4, port, target: "up.test" },
      ],
    },
  };
  t.equal(await reached(network.client(), "a.test"), "a");
});

t.test("documents are kept as their headers say, and failures for longer each time", async (t) => {
  const network = await FederationNetwork.open(t, { "a.test": loopback, "b.test": loopback });
  const clock = new ManualClock(Date.now());
  const named = await network.serve("b", ["b.test"]);
  const fallback = await network.serve("a", ["a.test"]);
  let headers: Record<string, string> = {};
  let status = 200;
  const wellKnownPort = await wellKnown(t, network, "a.test", () => ({
    status,
    headers,
    body: JSON.stringify({ "m.server": `b.test:${named}` }),
  }));
  const hourMs = 3_600_000;
  const fetches = () => network.seen.filter(({ server }) => server === "a.test document").length;
  const lives = async (withHeaders: Record<string, string>) => {
    headers = withHeaders;
    const client = network.client({ wellKnownPort, defaultPort: fallback }, clock);
    await reached(client, "a.test");
    for (const minutes of [4, 6, 60, 23 * 60, 25 * 60]) {
      const before = fetches();
      clock.advance(minutes * 60_000);
      await reached(client, "a.test");
      if (fetches() > before) return minutes;
    }
    return 0;
  };
  t.equal(await lives({ "Cache-Control": "no-store" }), 6, "five minutes at least");
  t.equal(await lives({ "Cache-Control": "public, max-age=600" }), 6);
  t.equal(await lives({ "Cache-Control": 'max-age="4000"' }), 60);
  t.equal(await lives({}), 23 * 60, "a day");
  t.equal(await lives({ "Cache-Control": "max-age=9999999" }), 25 * 60, "two days at most");
  const date = new Date(clock.nowMs() + hourMs).toUTCString();
  t.equal(await lives({ Expires: date }), 60);
  t.equal(await lives({ Expires: "0" }), 6);

  headers = { "Cache-Control": "max-age=3600" };
  const client = network.client({ wellKnownPort, defaultPort: fallback }, clock);
  t.equal(await reached(client, "a.test"), "b");
  status = 500;
  clock.advance(hourMs);
  t.equal(await reached(client, "a.test"), "b", "what was valid an hour ago still leads there");
  const waits: number[] = [];
  for (let failure = 0; failure < 8; failure++) {
    const before = fetches();
    for (let minutes = 0; fetches() === before && minutes < 70; minutes++) {
      clock.advance(60_000);
      await reached(client, "a.test");
      waits[failure] = minutes + 1;
    }
  }
  t.same(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
  clock.advance(48 * hourMs);
  t.equal(await reached(client, "a.test"), "a", "but not what is two days old");
});

t.test("redirects of documents are followed, by HTTPS and not for ever", async (t) => {
  const network = await FederationNetwork.open(t, { "a.test": loopback, "b.test": loopback });
  const named = await network.serve("b", ["b.test"]);
  const fallback = await network.serve("a", ["a.test"]);
  let location = "";
  const wellKnownPort = await network.serve("document", ["a.test"], (request, response) => {
    if (request.url === "/end") response.end(JSON.stringify({ "m.server": `b.test:${named}` }));
    else response.writeHead(302, { Location: location }).end();
  });
  for (const [target, expected] of [
    ["/end", "b"],
    ["/loop", "a"],
    ["http://a.test/end", "a"],
    ["https://10.0.0.1/end", "a"],
  ] as const) {
    location = target;
    t.equal(
      await reached(network.client({ wellKnownPort, defaultPort: fallback }), "a.test"),
      expected,
      target,
    );
  }
  t.ok(network.seen.length < 20);
});

t.test("requests are signed for the server that is meant, wherever it is", async (t) => {
  const network = await FederationNetwork.open(t, { "a.test": loopback });
  const port = await network.serve("a", ["a.test"]);
  const client = network.client();
  const destination = `a.test:${port}` as ServerName;
  const target = "/_matrix/federation/v1/query/..%2Fprofile/%2e%2e?user_id=%40a%3Ab.test&x=%20y";
  await client.request({ destination, method: "PUT", uri: target, body: { b: "grüße", a: 1 } });
  await client.request(get(destination));
  await client.request(get(destination, { isSigned: false }));
  const [put, signed, plain] = network.seen;
  t.match(put, { method: "PUT", target, body: '{"a":1,"b":"grüße"}' });
  const key = new VerifyKey(network.key.keyId, network.key.publicKey);
  const origin = "hearth.test" as ServerName;
  for (const [request, content] of [
    [put, '{"a":1,"b":"grüße"}'],
    [signed, undefined],
  ] as const) {
    const credentials = parseXMatrix(request?.authorization ?? "");
    t.match(credentials, { origin, destination });
    const { method = "", target: requested = "" } = request ?? {};
    t.ok(isRequestSigned({ method, uri: requested, origin, destination, content }, credentials, key));
  }
  t.equal(plain?.authorization, undefined);
});

t.test("answers: errors with their codes, and what is no JSON", async (t) => {
  const network = await FederationNetwork.open(t, { "a.test": loopback });
  let answer: { status: number; body: string } = { status: 200, body: "" };
  const port = await network.serve("a", ["a.test"], (_request, response) => {
    response.writeHead(answer.status).end(answer.body);
  });
  const client = network.client();
  const failureOf = async (status: number, body: string, more: Partial<FederationRequest> = {}) => {
    answer = { status, body };
    try {
      return await client.request(get(`a.test:${port}`, more));
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      const { failure, errcode } = error;
      return { failure, status: error.status, errcode };
    }
  };
  t.same(await failureOf(200, '{"a":1}'), { a: 1 });
  t.match(await failureOf(403, '{"errcode":"M_FORBIDDEN"}'), {
    failure: "refused",
    status: 403,
    errcode: "M_FORBIDDEN",
  });
  t.match(await failureOf(502, "<html>"), { failure: "refused", status: 502, errcode: undefined });
  t.match(await failureOf(200, "<html>"), { failure: "unreachable" });
  t.match(
    await failureOf(200, '{"a":1,"a":2}'),
    { failure: "unreachable" },
    "JSON that servers do not exchange",
  );
  t.match(await failureOf(200, `"${"x".repeat(2_000)}"`, { maxResponseBytes: 1_000 }), {
    failure: "unreachable",
  });
  const gone = new AbortController();
  gone.abort();
  t.match(await failureOf(200, "{}", { signal: gone.signal }), { failure: "unreachable" });
});

t.test("a server that does not answer is given up", async (t) => {
  const network = await FederationNetwork.open(t, { "a.test": loopback });
  const port = await network.serve("a", ["a.test"], () => undefined);
  await t.rejects(network.client().request(get(`a.test:${port}`, { timeoutMs: 200 })), {
    name: "FederationError",
    failure: "unreachable",
  });
});
