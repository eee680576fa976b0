import t from "tap";
import type { OutboundRequest } from "../outbound/outbound-http.ts";
import { PushGatewayClient, PushGatewayError } from "./push-gateway.ts";

const url = new URL("https://push.test/_matrix/push/v1/notify");
const { signal } = new AbortController();

function answering(status: number, body: string) {
  const requests: OutboundRequest[] = [];
  const request = async (asked: OutboundRequest) => {
    requests.push(asked);
    return { status, headers: {}, body: Buffer.from(body), isComplete: true, url };
  };
  return { requests, client: new PushGatewayClient({ request }) };
}

t.test("a notification is posted as JSON, and follows no redirect", async (t) => {
  const { client, requests } = answering(200, '{"rejected":["a","b"]}');
  t.strictSame(await client.notify(url, "{}", signal), ["a", "b"]);
  t.match(requests, [{ method: "POST", url, body: "{}", headers: { "Content-Type": "application/json" } }]);
  t.equal(requests[0]?.maxRedirects, undefined);
});

t.test("what has been taken is taken, whatever the answer says beside", async (t) => {
  for (const body of ["", "OK", "[]", "{}", '{"rejected":"a"}', '{"rejected":null}', "null"]) {
    t.strictSame(await answering(200, body).client.notify(url, "{}", signal), [], body);
  }
});

t.test("any other status is a failure", async (t) => {
  for (const status of [301, 400, 404, 429, 500, 503]) {
    const notifying = answering(status, '{"rejected":["a"]}').client.notify(url, "{}", signal);
    await t.rejects(notifying, new PushGatewayError("push.test", status));
  }
});
