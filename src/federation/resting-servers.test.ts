import t from "tap";
import type { ServerName } from "../protocol/identifiers.ts";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { FederationError } from "./federation-client.ts";
import { HeardServers } from "./heard-servers.ts";
import { RestingServers } from "./resting-servers.ts";

const two = "two.test" as ServerName;
const three = "three.test" as ServerName;

function setUp() {
  const clock = new ManualClock();
  const heard = new HeardServers();
  return { clock, heard, resting: new RestingServers(60_000, clock, heard) };
}

t.test("a server that could not be reached is left alone for so long, and no other", (t) => {
  const { clock, resting } = setUp();
  resting.add(two);
  t.ok(resting.has(two));
  t.notOk(resting.has(three));
  clock.advance(59_999);
  t.ok(resting.has(two));
  clock.advance(1);
  t.notOk(resting.has(two));
  t.end();
});

t.test("a rest ends as soon as the server is heard of", (t) => {
  const { heard, resting } = setUp();
  resting.add(two);
  heard.tell(three);
  t.ok(resting.has(two));
  heard.tell(two);
  t.notOk(resting.has(two));
  t.end();
});

t.test("one that sends much and answers nothing is tried every ten seconds", (t) => {
  const { clock, heard, resting } = setUp();
  let tries = 0;
  for (let ms = 0; ms < 60_000; ms += 100) {
    heard.tell(two);
    if (!resting.has(two)) {
      tries += 1;
      resting.add(two);
    }
    clock.advance(100);
  }
  t.equal(tries, 7);
  t.end();
});

t.test("who is left alone is not asked; an answer is forgotten, a failure is not", async (t) => {
  const { clock, heard, resting } = setUp();
  let outcome: () => Promise<string> = () => Promise.reject(new FederationError("unreachable", "gone"));
  let asked = 0;
  const ask = () =>
    resting.ask(two, () => {
      asked += 1;
      return outcome();
    });
  await t.rejects(ask(), { message: "gone" });
  await t.rejects(ask(), { name: "FederationError", message: /a moment ago/ });
  t.equal(asked, 1);
  heard.tell(two);
  outcome = async () => "here";
  t.equal(await ask(), "here");
  outcome = () => Promise.reject(new FederationError("refused", "no", { status: 403 }));
  await t.rejects(ask(), { name: "FederationError", message: "no" });
  outcome = () => Promise.reject(new Error("a fault of ours"));
  await t.rejects(ask(), { message: "a fault of ours" });
  t.notOk(resting.has(two), "it has answered, or nobody knows");
  resting.add(two);
  heard.tell(two);
  t.notOk(resting.has(two), "it had answered since it was last heard of");
  clock.advance(1);
  t.equal(asked, 4);
});
