import t from "tap";
import type { ServerName } from "../protocol/identifiers.ts";
import type { FederationClient } from "./federation-client.ts";
import { PolicedFederationClient } from "./policed-client.ts";
import { ServerPolicy } from "./server-policy.ts";

/** Tells which servers are asked. */
function recorder(): FederationClient & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    request({ destination }) {
      asked.push(destination);
      return Promise.resolve({});
    },
    stream({ destination }, read) {
      asked.push(destination);
      return read({ headers: {}, body: (async function* () {})() });
    },
  };
}

const to = (name: string) => ({ destination: name as ServerName, method: "GET", uri: "/" }) as const;

t.test("servers that are denied, or not allowed, are not asked for anything", async (t) => {
  const client = recorder();
  const policed = new PolicedFederationClient(
    client,
    new ServerPolicy(
      ["*.example.org", "example.org", "127.0.0.1", "[2001:db8:*"],
      ["bad.example.org", "*.bad.example.org", "[2001:db8::*]"],
    ),
  );
  for (const name of [
    "example.org",
    "a.example.org:8448",
    "EXAMPLE.org",
    "127.0.0.1:4242",
    "[2001:db8:1::1]:443",
  ]) {
    await policed.request(to(name));
    await policed.stream(to(name), () => Promise.resolve());
  }
  for (const name of [
    "bad.example.org",
    "very.bad.example.org:1",
    "example.com",
    "notexample.org",
    "127.0.0.11",
    "[2001:db8::1]:8448",
  ]) {
    await t.rejects(policed.request(to(name)), { name: "FederationError", failure: "unreachable" }, name);
    await t.rejects(
      policed.stream(to(name), () => Promise.resolve()),
      { name: "FederationError", failure: "unreachable" },
      name,
    );
  }
  const reached = [
    "example.org",
    "a.example.org:8448",
    "EXAMPLE.org",
    "127.0.0.1:4242",
    "[2001:db8:1::1]:443",
  ];
  t.strictSame(
    client.asked,
    reached.flatMap((name) => [name, name]),
  );
});

t.test("a server that takes no part in federation asks nobody", async (t) => {
  const client = recorder();
  const policed = new PolicedFederationClient(client, undefined);
  await t.rejects(policed.request(to("example.org")), {
    failure: "unreachable",
    message: "this server does not talk to other servers",
  });
  await t.rejects(
    policed.stream(to("example.org"), () => Promise.resolve()),
    { name: "FederationError", failure: "unreachable" },
  );
  t.strictSame(client.asked, []);
});
