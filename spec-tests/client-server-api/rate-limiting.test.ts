import t from "tap";
import {
  anonymous,
  login,
  registerUser,
  type TestAnswer,
  TestClient,
  testPassword,
} from "../support/client.ts";
import { startServer } from "../support/server.ts";

const server = await startServer({ rate_limits: { enabled: true } });
t.teardown(() => server[Symbol.asyncDispose]());

/** A request as a trusted proxy forwards it from some address. */
function logInFrom(address: string, user: string, password: string) {
  const asked = { type: "m.login.password", user, password };
  const headers = { "X-Forwarded-For": address };
  return anonymous(server).call("login", "POST", "/_matrix/client/v3/login", asked, headers);
}

t.test("getTokenOwner: who asks too much is told when to come back; others are served", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  const whoami = "/_matrix/client/v3/account/whoami";
  const ask = () => alice.get(whoami, "getTokenOwner");
  let served = 0;
  let first: TestAnswer | undefined;
  // On a busy machine 400 requests may take so long that none is too many.
  for (let round = 0; first === undefined && round < 10; round++) {
    const answers = await Promise.all(Array.from({ length: 400 }, ask));
    served += answers.filter(({ status }) => status === 200).length;
    first = answers.find(({ status }) => status === 429);
  }
  t.ok(served >= 200, `${served} served`);
  t.match(first?.body, { errcode: "M_LIMIT_EXCEEDED", error: String, retry_after_ms: Number });
  t.match(first?.headers.get("Retry-After"), /^[1-9]\d*$/);
  t.equal((await bob.get(whoami)).status, 200);
});

t.test("login: guessing is slowed down for the guesser, not for the owner", async (t) => {
  const alice = await registerUser(server);
  const wrong = async () => (await logInFrom("192.0.2.1", alice.userId, "wrong password")).status;
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 12; attempt++) statuses.push(await wrong());
  t.strictSame(statuses, [...Array<number>(10).fill(403), 429, 429]);
  t.equal((await logInFrom("192.0.2.1", alice.userId, testPassword)).status, 429);
  t.equal((await logInFrom("192.0.2.2", alice.userId, testPassword)).status, 200);
  t.ok(await login(server, alice));
});

t.test("deleteDevice: a stolen token is no way around it", async (t) => {
  const alice = await registerUser(server);
  const thief = new TestClient(server, alice);
  const attempt = () => {
    const auth = { type: "m.login.password", user: alice.userId, password: "wrong password" };
    return thief.delete(`/_matrix/client/v3/devices/${alice.deviceId}`, { auth }, "deleteDevice");
  };
  for (let count = 0; count < 10; count++) t.equal((await attempt()).status, 401);
  t.equal((await attempt()).status, 429);
});

t.test("register: many accounts from one address take their time", async (t) => {
  const headers = { "X-Forwarded-For": "192.0.2.77" };
  const ask = (body: object) =>
    anonymous(server).call("register", "POST", "/_matrix/client/v3/register", body, headers);
  const answers = await Promise.all(Array.from({ length: 80 }, () => ask({})));
  const statuses = new Set(answers.map(({ status }) => status));
  t.strictSame(
    [...statuses].toSorted((a, b) => a - b),
    [401, 429],
  );
});
