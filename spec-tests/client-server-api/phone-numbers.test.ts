import t from "tap";
import { anonymous, passwordAuth, registerUser } from "../support/client.ts";
import { addressesOf, newSecret } from "../support/contacts.ts";
import { startServer } from "../support/server.ts";
import { codeIn, SmsGateway } from "../support/sms-gateway.ts";
import { until } from "../support/within.ts";

// Messages take their way through real servers.
t.setTimeout(120_000);

const gateway = await SmsGateway.start();
const server = await startServer(gateway.config);
t.teardown(async () => {
  await server[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});
const client = "/_matrix/client/v3";
const requests = {
  add: ["account/3pid", "requestTokenTo3PIDMSISDN"],
  register: ["register", "requestTokenToRegisterMSISDN"],
  password: ["account/password", "requestTokenToResetPasswordMSISDN"],
} as const;

function request(purpose: keyof typeof requests, phone: string, secret: string, body: object = {}) {
  const [path, operationId] = requests[purpose];
  const asked = { country: "GB", phone_number: phone, client_secret: secret, send_attempt: 1, ...body };
  return anonymous(server).post(`${client}/${path}/msisdn/requestToken`, asked, operationId);
}

/** @param submitUrl as the server has told it */
function submit(submitUrl: unknown, body: object) {
  return anonymous(server).post(new URL(String(submitUrl)).pathname, body);
}

t.test("requestTokenTo3PIDMSISDN, add3PID, login: a number that was proved by typing a code", async (t) => {
  const alice = await registerUser(server);
  const secret = newSecret();
  const { status, body } = await request("add", "07700 900123", secret);
  t.equal(status, 200);
  const { sid, submit_url: url } = body;
  const sms = await gateway.sms("447700900123");
  const token = codeIn(sms);
  t.match((await submit(url, { sid, token })).body, { errcode: "M_INVALID_PARAM" }, "codes can be guessed");
  const wrong = token === "000000" ? "000001" : "000000";
  t.match((await submit(url, { sid, client_secret: secret, token: wrong })).body, {
    errcode: "M_TOKEN_INCORRECT",
  });
  t.strictSame((await submit(url, { sid, client_secret: secret, token })).body, { success: true });
  const credentials = { sid, client_secret: secret, auth: passwordAuth(alice) };
  t.equal((await alice.post(`${client}/account/3pid/add`, credentials, "add3PID")).status, 200);
  t.strictSame(await addressesOf(alice), ["447700900123"]);
  const identifier = { type: "m.id.phone", country: "GB", phone: "(07700) 900-123" };
  const password = "correct horse battery staple";
  const login = { type: "m.login.password", identifier, password };
  t.match((await anonymous(server).post(`${client}/login`, login, "login")).body, { user_id: alice.userId });
});

t.test("requestTokenToResetPasswordMSISDN, changePassword: a forgotten password", async (t) => {
  const alice = await registerUser(server);
  const phone = "07700 900456";
  const prove = async (purpose: "add" | "password", count: number) => {
    const secret = newSecret();
    const { body } = await request(purpose, phone, secret);
    const token = codeIn(await gateway.sms("447700900456", count));
    const answer = await submit(body["submit_url"], { sid: body["sid"], client_secret: secret, token });
    t.equal(answer.status, 200);
    return { sid: body["sid"], client_secret: secret };
  };
  const added = { ...(await prove("add", 1)), auth: passwordAuth(alice) };
  t.equal((await alice.post(`${client}/account/3pid/add`, added, "add3PID")).status, 200);
  const auth = { type: "m.login.msisdn", threepid_creds: await prove("password", 2) };
  const wish = { new_password: "another password", auth };
  t.equal((await anonymous(server).post(`${client}/account/password`, wish, "changePassword")).status, 200);
  t.match((await gateway.sms("447700900456", 3)).text, /was changed just now/);
});

t.test("requestTokenToRegisterMSISDN: guesses are counted, all at once too", async (t) => {
  const secret = newSecret();
  const { body } = await request("register", "07700 900789", secret);
  const token = codeIn(await gateway.sms("447700900789"));
  const guesses = Array.from({ length: 12 }, (_, n) =>
    String((Number(token) + n + 1) % 1_000_000).padStart(6, "0"),
  );
  const answers = await Promise.all(
    guesses.map((guess) =>
      submit(body["submit_url"], { sid: body["sid"], client_secret: secret, token: guess }),
    ),
  );
  t.equal(answers.filter((answer) => answer.body["errcode"] === "M_TOKEN_INCORRECT").length, 5);
  t.match((await submit(body["submit_url"], { sid: body["sid"], client_secret: secret, token })).body, {
    errcode: "M_SESSION_EXPIRED",
  });
});

t.test("requestToken: what is no number is refused", async (t) => {
  for (const purpose of ["add", "register", "password"] as const) {
    const cases: [object, string][] = [
      [{ phone_number: "call me" }, "M_INVALID_PARAM"],
      [{ phone_number: "1" }, "M_INVALID_PARAM"],
      [{ country: "Great Britain" }, "M_INVALID_PARAM"],
      [{ country: 44 }, "M_BAD_JSON"],
      [{ client_secret: "?" }, "M_INVALID_PARAM"],
    ];
    for (const [body, errcode] of cases) {
      const answer = await request(purpose, "07700 900000", newSecret(), body);
      t.equal(answer.body["errcode"], errcode, `${requests[purpose][1]} ${JSON.stringify(body)}`);
    }
  }
});

t.test("requestToken: e-mail addresses are not supported here, and say so", async (t) => {
  const body = { email: "a@example.org", client_secret: newSecret(), send_attempt: 1 };
  for (const path of ["account/3pid", "register", "account/password"]) {
    const answer = await anonymous(server).post(`${client}/${path}/email/requestToken`, body);
    t.equal(answer.status, 400);
    t.match(answer.body, { errcode: "M_THREEPID_MEDIUM_NOT_SUPPORTED" });
  }
});

t.test("a gateway that is busy is asked again, one that refuses is not", async (t) => {
  const before = gateway.attempts;
  gateway.verdicts.push(503);
  await request("add", "07700 900001", newSecret());
  t.ok(await gateway.sms("447700900001"));
  t.equal(gateway.attempts, before + 2);
  gateway.verdicts.push(400);
  await request("add", "07700 900002", newSecret());
  await until(30_000, "the gateway to refuse", () => gateway.attempts === before + 3);
  await request("add", "07700 900003", newSecret());
  t.ok(await gateway.sms("447700900003"));
  t.equal(gateway.received.filter(({ to }) => to === "447700900002").length, 0);
});
