import t from "tap";
import { anonymous, registerAdmin, registerUser } from "../support/client.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

const admin = await registerAdmin(server);
const tokens = "/_synapse/admin/v1/registration_tokens";
const validity = "/_matrix/client/v1/register/m.login.registration_token/validity?token=";
const inAnHour = Date.now() + 3_600_000;

async function isValid(token: string) {
  return (await anonymous(server).get(`${validity}${token}`)).body["valid"];
}

t.test(
  "adminCreateRegistrationToken, adminGetRegistrationToken: with defaults and with wishes",
  async (t) => {
    const made = await admin.post(`${tokens}/new`, {});
    t.match(made, { status: 200, body: { uses_allowed: null, pending: 0, completed: 0, expiry_time: null } });
    const token = String(made.body["token"]);
    t.match(token, /^[A-Za-z0-9_-]{16}$/);
    t.strictSame((await admin.get(`${tokens}/${token}`)).body, made.body);
    t.equal(await isValid(token), true);
    const wish = { token: "defg.~", uses_allowed: 1, expiry_time: inAnHour };
    t.match((await admin.post(`${tokens}/new`, wish)).body, { ...wish, completed: 0 });
    t.match((await admin.post(`${tokens}/new`, { length: 3 })).body, { token: /^.{3}$/ });
    t.match(
      (await admin.post(`${tokens}/new`, { token: null, length: null, uses_allowed: null })).status,
      200,
    );
  },
);

t.test("adminCreateRegistrationToken: bad input changes nothing", async (t) => {
  const before = await admin.get(tokens);
  const bad = [
    { token: "" },
    { token: "a".repeat(65) },
    { token: "a b" },
    { token: 5 },
    { length: 0 },
    { length: 65 },
    { length: "5" },
    { uses_allowed: -1 },
    { uses_allowed: "many" },
    { expiry_time: 1 },
    { expiry_time: "tomorrow" },
  ];
  for (const body of bad)
    t.equal((await admin.post(`${tokens}/new`, body)).status, 400, JSON.stringify(body));
  await admin.post(`${tokens}/new`, { token: "taken", uses_allowed: 0 });
  t.match(await admin.post(`${tokens}/new`, { token: "taken" }), {
    status: 400,
    body: { errcode: "M_INVALID_PARAM", error: /already/ },
  });
  await admin.delete(`${tokens}/taken`);
  t.strictSame((await admin.get(tokens)).body, before.body);
});

t.test("adminUpdateRegistrationToken: what is left away stays; null takes a limit away", async (t) => {
  await admin.post(`${tokens}/new`, { token: "changed", uses_allowed: 2 });
  const update = (body: object) => admin.put(`${tokens}/changed`, body);
  t.match((await update({ expiry_time: inAnHour })).body, { uses_allowed: 2, expiry_time: inAnHour });
  t.match((await update({ uses_allowed: 0 })).body, { uses_allowed: 0, expiry_time: inAnHour });
  t.equal(await isValid("changed"), false);
  t.match((await update({ uses_allowed: null, expiry_time: null })).body, {
    uses_allowed: null,
    expiry_time: null,
  });
  t.match((await update({})).body, { uses_allowed: null, expiry_time: null });
  t.equal((await update({ expiry_time: 1 })).status, 400);
  t.match(await admin.put(`${tokens}/unknown`, {}), { status: 404, body: { errcode: "M_NOT_FOUND" } });
});

t.test("adminListRegistrationTokens: all, those that can be used, and the others", async (t) => {
  await admin.post(`${tokens}/new`, { token: "usable" });
  await admin.post(`${tokens}/new`, { token: "spent", uses_allowed: 0 });
  const listed = async (query: string) => {
    const { body } = await admin.get(tokens + query);
    return (body["registration_tokens"] as { token: string }[]).map(({ token }) => token);
  };
  const all = await listed("");
  const valid = await listed("?valid=true");
  const invalid = await listed("?valid=false");
  t.ok(all.includes("usable") && all.includes("spent"));
  t.ok(valid.includes("usable") && !valid.includes("spent"));
  t.ok(invalid.includes("spent") && !invalid.includes("usable"));
  t.equal(valid.length + invalid.length, all.length);
  t.equal((await admin.get(`${tokens}?valid=perhaps`)).status, 400);
});

t.test(
  "adminDeleteRegistrationToken: it is of no use any more, and the audit log tells what it was",
  async (t) => {
    await admin.post(`${tokens}/new`, { token: "gone", uses_allowed: 7 });
    t.strictSame(await admin.delete(`${tokens}/gone`).then(({ status, body }) => [status, body]), [200, {}]);
    t.equal(await isValid("gone"), false);
    t.match(await admin.delete(`${tokens}/gone`), { status: 404, body: { errcode: "M_NOT_FOUND" } });
    t.equal((await admin.get(`${tokens}/gone`)).status, 404);
    const acts = await admin.get("/_hearth/admin/v1/audit_log?target=gone");
    t.match(acts.body["acts"], [
      { action: "adminDeleteRegistrationToken", outcome: "refused" },
      { action: "adminDeleteRegistrationToken", outcome: "done", before: { uses_allowed: 7 }, after: null },
    ]);
  },
);

t.test(
  "adminListRegistrationTokens, adminCreateRegistrationToken ...: for administrators only",
  async (t) => {
    const alice = await registerUser(server);
    const answers = await Promise.all([
      alice.get(tokens),
      alice.post(`${tokens}/new`, {}),
      alice.get(`${tokens}/usable`),
      alice.put(`${tokens}/usable`, { uses_allowed: 0 }),
      alice.delete(`${tokens}/usable`),
    ]);
    for (const answer of answers) t.match(answer, { status: 403, body: { errcode: "M_FORBIDDEN" } });
    t.equal(await isValid("usable"), true);
  },
);
