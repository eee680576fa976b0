import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");

const filterPath = ({ userId }: TestClient) => `/_matrix/client/v3/user/${encodeURIComponent(userId)}/filter`;

const definition = {
  room: {
    rooms: ["!a:hearth.test"],
    not_rooms: ["!b:hearth.test"],
    include_leave: true,
    state: { types: ["m.room.*"], lazy_load_members: true, include_redundant_members: false },
    timeline: {
      limit: 10,
      types: ["m.room.message"],
      not_senders: ["@spam:example.com"],
      contains_url: true,
    },
    ephemeral: { types: ["m.receipt", "m.typing"] },
    account_data: { not_types: ["*"] },
  },
  presence: { types: ["m.presence"], senders: ["@alice:hearth.test"] },
  account_data: { limit: 1 },
  event_format: "client",
  event_fields: ["type", "content", "sender"],
};

t.test("defineFilter, getFilter: a filter is read back as it was defined", async (t) => {
  const defined = await alice.post(filterPath(alice), definition, "defineFilter");
  t.equal(defined.status, 200);
  const filterId = String(defined.body["filter_id"]);
  t.not(filterId[0], "{");
  const got = await alice.get(`${filterPath(alice)}/${filterId}`, "getFilter");
  t.equal(got.status, 200);
  t.strictSame(got.body, definition);
  const again = await alice.post(filterPath(alice), definition);
  t.equal(again.body["filter_id"], filterId, "the same filter has the same ID");
  const other = await alice.post(filterPath(alice), {}, "defineFilter");
  t.equal(other.status, 200);
  t.not(other.body["filter_id"], filterId);
});

t.test("getFilter: an unknown filter, and one of somebody else, is 404", async (t) => {
  const { body } = await alice.post(filterPath(alice), definition);
  for (const path of [`${filterPath(alice)}/unknown`, `${filterPath(bob)}/${String(body["filter_id"])}`]) {
    const answer = await (path.includes("bob") ? bob : alice).get(path, "getFilter");
    t.equal(answer.status, 404);
    t.equal(answer.body["errcode"], "M_NOT_FOUND");
  }
});

t.test("defineFilter, getFilter: nobody reads or writes somebody else's filters", async (t) => {
  const { body } = await alice.post(filterPath(alice), definition);
  const answers = [
    await bob.post(filterPath(alice), {}, "defineFilter"),
    await bob.get(`${filterPath(alice)}/${String(body["filter_id"])}`, "getFilter"),
  ];
  for (const answer of answers) {
    t.equal(answer.status, 403);
    t.equal(answer.body["errcode"], "M_FORBIDDEN");
  }
});

t.test("defineFilter: what makes no filter is refused", async (t) => {
  const refused = [
    [],
    { presence: "not an object" },
    { presence: { senders: "@alice:hearth.test" } },
    { presence: { senders: ["not a user ID"] } },
    { presence: { not_senders: [7] } },
    { account_data: { limit: "ten" } },
    { account_data: { limit: -1 } },
    { account_data: { limit: 1.5 } },
    { room: [] },
    { room: { rooms: ["not a room ID"] } },
    { room: { include_leave: "yes" } },
    { room: { timeline: "not an object" } },
    { room: { timeline: { rooms: ["#alias:hearth.test"] } } },
    { room: { timeline: { types: "m.*" } } },
    { room: { timeline: { types: [null] } } },
    { room: { state: { lazy_load_members: 1 } } },
    { room: { ephemeral: { contains_url: "true" } } },
    { room: { account_data: { not_rooms: {} } } },
    { event_format: "xml" },
    { event_fields: "type" },
    { event_fields: [{}] },
  ];
  for (const filter of refused) {
    const { status, body } = await alice.post(filterPath(alice), filter, "defineFilter");
    t.equal(status, 400, JSON.stringify(filter));
    t.equal(body["errcode"], "M_BAD_JSON");
  }
});

t.test("defineFilter: keys that the server does not know are kept", async (t) => {
  const filter = { room: { timeline: { "org.example.new": { a: 1 } } }, other: true };
  const { body } = await alice.post(filterPath(alice), filter, "defineFilter");
  t.strictSame((await alice.get(`${filterPath(alice)}/${String(body["filter_id"])}`)).body, filter);
});

t.test("defineFilter: a filter that is too large is refused", async (t) => {
  const types = Array.from({ length: 1000 }, (_, index) => `org.example.${"x".repeat(80)}.${index}`);
  const { status, body } = await alice.post(filterPath(alice), { presence: { types } }, "defineFilter");
  t.equal(status, 413);
  t.equal(body["errcode"], "M_TOO_LARGE");
});
