import { setImmediate as turn } from "node:timers/promises";
import t from "tap";
import type { UserId } from "../../protocol/identifiers.ts";
import type { JsonValue } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { FederationError, type FederationRequest } from "../federation-client.ts";
import { HeardServers } from "../heard-servers.ts";
import { ProfileRequests } from "./profile-requests.ts";

const penny = "@penny:two.test" as UserId;

function setUp(answer: (request: FederationRequest) => Promise<JsonValue>) {
  const clock = new ManualClock();
  const uris: string[] = [];
  const request = (asked: FederationRequest) => {
    uris.push(asked.uri);
    return answer(asked);
  };
  return { clock, uris, profiles: new ProfileRequests({ request }, clock, new HeardServers()) };
}

const unreachable = () => Promise.reject(new FederationError("unreachable", "no"));

async function errcode(finding: Promise<unknown>): Promise<unknown> {
  try {
    return await finding;
  } catch (error) {
    return error instanceof MatrixError ? error.errcode : error;
  }
}

t.test("a profile is fresh for two minutes; after that an old one is better than none", async (t) => {
  let answer: () => Promise<JsonValue> = async () => ({ displayname: "Penny" });
  const { clock, uris, profiles } = setUp(() => answer());
  t.equal((await profiles.find(penny)).json, '{"displayname":"Penny"}');
  answer = async () => ({ displayname: "P." });
  clock.advance(119_000);
  t.equal((await profiles.find(penny)).json, '{"displayname":"Penny"}');
  clock.advance(1_000);
  t.equal((await profiles.find(penny)).json, '{"displayname":"P."}');
  t.equal(uris.length, 2);
  answer = unreachable;
  clock.advance(120_000);
  t.equal((await profiles.find(penny)).json, '{"displayname":"P."}');
  t.equal(await errcode(profiles.find("@other:two.test" as UserId)), "M_CONNECTION_FAILED");
  t.equal(uris.length, 3, "a silent server is left alone for a while");
  answer = () => Promise.reject(new FederationError("refused", "gone", { status: 404 }));
  clock.advance(30_000);
  t.equal(await errcode(profiles.find(penny)), "M_NOT_FOUND");
  answer = unreachable;
  t.equal(await errcode(profiles.find(penny)), "M_CONNECTION_FAILED", "who is gone is forgotten");
});

t.test("a slow server is asked for so many profiles at once, all servers for so many", async (t) => {
  const { uris, profiles } = setUp(() => new Promise(() => undefined));
  let refused = 0;
  const ask = (userId: string) => {
    profiles.find(userId as UserId).catch(() => {
      refused += 1;
    });
  };
  for (let user = 0; user < 50; user++) ask(`@u${user}:slow.test`);
  await turn();
  t.strictSame([uris.length, refused], [40, 10]);
  for (let server = 0; server < 200; server++) ask(`@u:s${server}.test`);
  await turn();
  t.strictSame([uris.length, refused], [200, 50]);
});

t.test("user IDs are written into requests as they must be", async (t) => {
  const { uris, profiles } = setUp(async () => ({}));
  await profiles.find("@a/b&field=x?#é:two.test" as UserId);
  t.strictSame(uris, [
    "/_matrix/federation/v1/query/profile?user_id=%40a%2Fb%26field%3Dx%3F%23%C3%A9%3Atwo.test",
  ]);
});
