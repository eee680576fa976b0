import t from "tap";
import { anonymous, registerAdmin, registerUser, TestClient, testPassword } from "../support/client.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const nobody = anonymous(server);

function profilePath(userId: string, field?: string): string {
  const end = field === undefined ? "" : `/${encodeURIComponent(field)}`;
  return `/_matrix/client/v3/profile/${encodeURIComponent(userId)}${end}`;
}

function setField(client: TestClient, name: string, value: unknown) {
  return client.put(profilePath(client.userId, name), { [name]: value }, "setProfileField");
}

t.test("setProfileField, getProfileField, getUserProfile: everybody sees what a user shows", async (t) => {
  const alice = await registerUser(server);
  const fields = {
    displayname: "Alice 🌍",
    avatar_url: "mxc://hearth.test/SEsfnsuifSDFSSEF",
    "m.tz": "Europe/Paris",
    "org.example.job-title": { title: "Engineer", since: 2020 },
    "org.example.nothing": null,
  };
  for (const [name, value] of Object.entries(fields)) {
    const set = await setField(alice, name, value);
    t.equal(set.status, 200, name);
    t.strictSame(set.body, {});
    const got = await nobody.get(profilePath(alice.userId, name), "getProfileField");
    t.equal(got.status, 200);
    t.strictSame(got.body, { [name]: value });
  }
  const profile = await nobody.get(profilePath(alice.userId), "getUserProfile");
  t.equal(profile.status, 200);
  t.strictSame(profile.body, fields);
});

t.test("setProfileField: the unstable path of MSC4133 serves as well", async (t) => {
  const alice = await registerUser(server);
  const path = `/_matrix/client/unstable/uk.tcpip.msc4133/profile/${alice.userId}/us.cloke.msc4175.tz`;
  t.equal((await alice.put(path, { "us.cloke.msc4175.tz": "UTC" })).status, 200);
  t.strictSame((await nobody.get(path)).body, { "us.cloke.msc4175.tz": "UTC" });
});

t.test("deleteProfileField: a field goes, and going twice is fine", async (t) => {
  const alice = await registerUser(server);
  await setField(alice, "org.example.a", 1);
  await setField(alice, "displayname", "Alice");
  for (const name of ["org.example.a", "displayname", "displayname", "avatar_url"]) {
    const deleted = await alice.delete(profilePath(alice.userId, name), undefined, "deleteProfileField");
    t.equal(deleted.status, 200);
    t.strictSame(deleted.body, {});
    const gone = await nobody.get(profilePath(alice.userId, name), "getProfileField");
    t.equal(gone.status, 404);
    t.equal(gone.body["errcode"], "M_NOT_FOUND");
  }
});

t.test("setProfileField: an empty display name or avatar is none", async (t) => {
  const alice = await registerUser(server);
  await setField(alice, "displayname", "Alice");
  t.equal((await setField(alice, "displayname", "")).status, 200);
  t.equal((await setField(alice, "avatar_url", "")).status, 200);
  t.equal((await nobody.get(profilePath(alice.userId, "displayname"), "getProfileField")).status, 404);
  t.equal((await nobody.get(profilePath(alice.userId, "avatar_url"), "getProfileField")).status, 404);
});

t.test("getUserProfile, getProfileField: nobody has a profile who is not there", async (t) => {
  const profile = await nobody.get(profilePath("@never:hearth.test"), "getUserProfile");
  t.equal(profile.status, 404);
  t.equal(profile.body["errcode"], "M_NOT_FOUND");
  const field = await nobody.get(profilePath("@never:hearth.test", "displayname"), "getProfileField");
  t.equal(field.status, 404);
  const elsewhere = await nobody.get(profilePath("@alice:127.0.0.1:1"), "getUserProfile");
  t.equal(elsewhere.status, 502, "another server would have to be asked");
  t.equal(elsewhere.body["errcode"], "M_CONNECTION_FAILED");
  const malformed = await nobody.get(profilePath("alice"), "getUserProfile");
  t.equal(malformed.status, 400);
  t.equal(malformed.body["errcode"], "M_INVALID_PARAM");
});

t.test("getUserProfile: a user who was looked for before registering is found afterwards", async (t) => {
  t.equal((await nobody.get(profilePath("@late:hearth.test"), "getUserProfile")).status, 404);
  const late = await registerUser(server, "late");
  await setField(late, "displayname", "Late");
  t.match((await nobody.get(profilePath("@late:hearth.test"), "getUserProfile")).body, {
    displayname: "Late",
  });
});

t.test("setProfileField, deleteProfileField: nobody changes somebody else's profile", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  await setField(alice, "displayname", "Alice");
  const path = profilePath(alice.userId, "displayname");
  const answers = [
    await bob.put(path, { displayname: "Mallory" }, "setProfileField"),
    await bob.delete(path, undefined, "deleteProfileField"),
  ];
  for (const { status, body } of answers) {
    t.equal(status, 403);
    t.equal(body["errcode"], "M_FORBIDDEN");
  }
  t.equal((await nobody.put(path, { displayname: "Mallory" })).status, 401);
  t.strictSame((await nobody.get(path)).body, { displayname: "Alice" });
});

t.test("setProfileField: an avatar that is no address at all is kept as it is", async (t) => {
  const alice = await registerUser(server);
  t.equal((await setField(alice, "avatar_url", "LemurLover")).status, 200);
  const { body } = await nobody.get(profilePath(alice.userId, "avatar_url"));
  t.strictSame(body, { avatar_url: "LemurLover" });
});

t.test("setProfileField: values that a field cannot have are refused", async (t) => {
  const alice = await registerUser(server);
  const refused = [
    ["displayname", { displayname: 7 }, "M_BAD_JSON"],
    ["displayname", { displayname: null }, "M_BAD_JSON"],
    ["displayname", { displayname: "x".repeat(257) }, "M_BAD_JSON"],
    ["displayname", { avatar_url: "mxc://a/b" }, "M_MISSING_PARAM"],
    ["displayname", {}, "M_MISSING_PARAM"],
    ["displayname", [], "M_BAD_JSON"],
    ["avatar_url", { avatar_url: "https://example.org/a.png" }, "M_BAD_JSON"],
    ["avatar_url", { avatar_url: "//example.org/a.png" }, "M_BAD_JSON"],
    ["avatar_url", { avatar_url: "mxc://example.org/" }, "M_BAD_JSON"],
    ["avatar_url", { avatar_url: { url: "mxc://a/b" } }, "M_BAD_JSON"],
    ["m.tz", { "m.tz": 1 }, "M_BAD_JSON"],
    ["Not.Allowed", { "Not.Allowed": 1 }, "M_INVALID_PARAM"],
    ["__proto__", JSON.parse('{"__proto__":1}'), "M_INVALID_PARAM"],
    [`a${"b".repeat(255)}`, { [`a${"b".repeat(255)}`]: 1 }, "M_KEY_TOO_LARGE"],
    ["org.example.large", { "org.example.large": "x".repeat(65_536) }, "M_PROFILE_TOO_LARGE"],
  ] as const;
  const before = (await nobody.get(profilePath(alice.userId))).body;
  for (const [name, body, errcode] of refused) {
    const answer = await alice.put(profilePath(alice.userId, name), body, "setProfileField");
    t.equal(answer.status, 400, `${name} ${errcode}`);
    t.equal(answer.body["errcode"], errcode);
  }
  t.strictSame((await nobody.get(profilePath(alice.userId))).body, before);
});

t.test("setProfileField: the whole profile has to stay under 64 KiB", async (t) => {
  const alice = await registerUser(server);
  t.equal((await setField(alice, "org.example.a", "x".repeat(40_000))).status, 200);
  const { status, body } = await setField(alice, "org.example.b", "x".repeat(30_000));
  t.equal(status, 400);
  t.equal(body["errcode"], "M_PROFILE_TOO_LARGE");
  t.equal(
    (await setField(alice, "org.example.a", "x".repeat(30_000))).status,
    200,
    "in place of the former value",
  );
});

t.test("setProfileField, deleteProfileField: guests change their display name only", async (t) => {
  const { body } = await nobody.post("/_matrix/client/v3/register?kind=guest", {});
  const guest = new TestClient(server, {
    userId: String(body["user_id"]),
    deviceId: String(body["device_id"]),
    accessToken: String(body["access_token"]),
  });
  t.equal((await setField(guest, "displayname", "Guest")).status, 200);
  t.equal(
    (await guest.delete(profilePath(guest.userId, "displayname"), undefined, "deleteProfileField")).status,
    200,
  );
  const answers = [
    await setField(guest, "avatar_url", "mxc://hearth.test/abc"),
    await setField(guest, "m.tz", "UTC"),
    await guest.delete(profilePath(guest.userId, "m.tz"), undefined, "deleteProfileField"),
  ];
  for (const answer of answers) {
    t.equal(answer.status, 403);
    t.equal(answer.body["errcode"], "M_GUEST_ACCESS_FORBIDDEN");
  }
});

t.test("getUserProfile: who asks to be erased shows nothing any more", async (t) => {
  const alice = await registerUser(server);
  await setField(alice, "displayname", "Alice");
  t.match((await nobody.get(profilePath(alice.userId))).body, { displayname: "Alice" });
  const { status } = await alice.post("/_matrix/client/v3/account/deactivate", {
    erase: true,
    auth: {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: alice.userId },
      password: testPassword,
      session: (await alice.post("/_matrix/client/v3/account/deactivate", {})).body["session"],
    },
  });
  t.equal(status, 200);
  const erased = await nobody.get(profilePath(alice.userId), "getUserProfile");
  t.strictSame(erased.body, {});
});

t.test("setProfileField, deleteProfileField: suspended users keep the profile that they have", async (t) => {
  const admin = await registerAdmin(server);
  const alice = await registerUser(server);
  await setField(alice, "displayname", "Alice");
  const suspended = await admin.put(`/_matrix/client/v1/admin/suspend/${alice.userId}`, { suspended: true });
  t.equal(suspended.status, 200);
  const answers = [
    await setField(alice, "displayname", "Mallory"),
    await alice.delete(profilePath(alice.userId, "displayname"), undefined, "deleteProfileField"),
  ];
  for (const { status, body } of answers) {
    t.equal(status, 403);
    t.equal(body["errcode"], "M_USER_SUSPENDED");
  }
  t.match((await nobody.get(profilePath(alice.userId))).body, { displayname: "Alice" });
});
