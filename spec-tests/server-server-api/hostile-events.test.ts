import t from "tap";
import { registerUser } from "../support/client.ts";
import { FakePeer } from "../support/fake-peer.ts";
import { startFederatedServers } from "../support/federated-servers.ts";

type Json = Record<string, unknown>;
type Made = ReturnType<FakePeer["event"]>;

const servers = await startFederatedServers(1);
t.teardown(() => servers[Symbol.asyncDispose]());
const [server] = servers;
if (!server) throw new Error("a server is needed");
const peer = await FakePeer.start(servers.tls);
t.teardown(() => peer[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const client = "/_matrix/client/v3";
const federation = "/_matrix/federation/v1";

/** A room of alice's, with the peer's user in it. */
class Scene {
  readonly roomId: string;
  readonly #auth: readonly string[];
  /** What the peer's next event follows. */
  newest: string;

  private constructor(roomId: string, auth: readonly string[], newest: string) {
    this.roomId = roomId;
    this.#auth = auth;
    this.newest = newest;
  }

  static async open(version = "11"): Promise<Scene> {
    const created = await alice.post(`${client}/createRoom`, {
      preset: "public_chat",
      room_version: version,
    });
    const roomId = created.body["room_id"] as string;
    const { joinId } = await peer.join(server as { url: string; name: string }, roomId, version);
    const id = async (type: string) => {
      const path = `${client}/rooms/${encodeURIComponent(roomId)}/state/${type}?format=event`;
      return (await alice.get(path)).body["event_id"] as string;
    };
    return new Scene(roomId, [await id("m.room.create"), await id("m.room.power_levels"), joinId], joinId);
  }

  /** A message of the peer's user, with changes. */
  event(fields: Json = {}): Made {
    return peer.event({
      room_id: this.roomId,
      type: "m.room.message",
      sender: peer.userId,
      content: { msgtype: "m.text", body: "hello" },
      depth: 50,
      prev_events: [this.newest],
      auth_events: this.#auth,
      ...fields,
    });
  }

  /** Sends an ordinary message after others, and waits until it has come: they have been judged then. */
  async settle(): Promise<void> {
    const last = this.event({ content: { msgtype: "m.text", body: `settled ${performance.now()}` } });
    await send([last.pdu]);
    for (let round = 0; round < 200; round++) {
      if (await this.shows(last.id)) {
        this.newest = last.id;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error("an ordinary message did not come");
  }

  async shows(eventId: string): Promise<boolean> {
    const path = `${client}/rooms/${encodeURIComponent(this.roomId)}/event/${encodeURIComponent(eventId)}`;
    return (await alice.get(path)).status === 200;
  }
}

let transactions = 0;
async function send(pdus: readonly Json[], edus: readonly Json[] = []) {
  const content = { origin: peer.name, origin_server_ts: 1, pdus, edus };
  const uri = `${federation}/send/hostile-${++transactions}`;
  const answer = await peer.request(server as { url: string; name: string }, "PUT", uri, content);
  return { status: answer.status, pdus: (answer.body["pdus"] ?? {}) as Record<string, { error?: string }> };
}

const notServed = { status: 404, body: { errcode: "M_NOT_FOUND", error: "not here" } };
const scene = await Scene.open();

t.test(
  "sendTransaction: a depth that no integer holds is refused, and tamed where old rooms allow it",
  async (t) => {
    const deep = scene.event({ depth: JSON.rawJSON("9223372036854775807") });
    t.equal((await send([deep.pdu])).pdus[deep.id], undefined, "it has no ID there");
    const greatest = scene.event({ depth: Number.MAX_SAFE_INTEGER });
    await send([greatest.pdu]);
    await scene.settle();
    t.notOk(await scene.shows(deep.id));
    t.ok(await scene.shows(greatest.id));
    scene.newest = greatest.id;
    await scene.settle();

    const old = await Scene.open("5");
    const allowed = old.event({ depth: JSON.rawJSON("9223372036854775807") });
    t.same((await send([allowed.pdu])).pdus[allowed.id], {});
    await old.settle();
    t.ok(await old.shows(allowed.id));
    const path = `${client}/rooms/${encodeURIComponent(old.roomId)}/send/m.room.message/after`;
    const after = await alice.put(path, { msgtype: "m.text", body: "after" });
    t.equal(after.status, 200, "the room can still be written to");
    const uri = `${federation}/event/${encodeURIComponent(after.body["event_id"] as string)}`;
    const { body } = await peer.request(server, "GET", uri);
    const [pdu] = body["pdus"] as { depth: number }[];
    t.ok((pdu?.depth ?? 0) <= Number.MAX_SAFE_INTEGER, `depth ${pdu?.depth}`);
  },
);

t.test(
  "sendTransaction: events that refer to too many, too large ones and malformed ones are refused",
  async (t) => {
    const ids = (count: number) => Array.from({ length: count }, (_, index) => `$${"x".repeat(40)}${index}`);
    const nested = (levels: number) => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`) as unknown;
    const hostile: Record<string, Made> = {
      "21 prev_events": scene.event({ prev_events: ids(21) }),
      "10,000 prev_events": scene.event({ prev_events: ids(10_000) }),
      "11 auth_events": scene.event({ auth_events: ids(11) }),
      "65,537 bytes": scene.event({ content: { body: "x".repeat(65_537) } }),
      "a fraction": scene.event({ content: { body: 1.5 } }),
      "a sender that is no user": scene.event({ sender: "peer" }),
      "a state key of 256 bytes": scene.event({ type: "m.test", state_key: "x".repeat(256) }),
      "993 levels": scene.event({ content: { deep: nested(993) } }),
    };
    const { status, pdus } = await send(Object.values(hostile).map(({ pdu }) => pdu));
    t.equal(status, 200);
    for (const [what, { id }] of Object.entries(hostile)) {
      t.ok(pdus[id]?.error !== undefined || pdus[id] === undefined, `${what} is refused`);
      t.notOk(await scene.shows(id), what);
    }
    t.equal((await send([{ deep: nested(2_000) }])).status, 400, "JSON that nobody can parse");
    t.equal((await send(Array.from({ length: 51 }, () => scene.event().pdu))).status, 400, "51 events");
    await scene.settle();
  },
);

t.test(
  "sendTransaction: a key that occurs twice is refused, since it means one thing here and another there",
  async (t) => {
    const { pdu } = scene.event();
    const twice = JSON.stringify(pdu).replace('"type":', '"type":"m.room.name","type":');
    const answer = await send([JSON.rawJSON("1") as unknown as Json]);
    t.equal(answer.status, 200, "what is no event is passed over");
    const body = `{"origin":"${peer.name}","origin_server_ts":1,"pdus":[${twice}]}`;
    const response = await fetch(`${server.url}${federation}/send/twice`, {
      method: "PUT",
      headers: { Authorization: 'X-Matrix origin="a.test",key="ed25519:1",sig="A"' },
      body,
    });
    t.equal(response.status, 400);
  },
);

t.test("sendTransaction: what rests on another room's events, or twice on one, is not let in", async (t) => {
  const other = await Scene.open();
  const foreign = scene.event({ auth_events: other.event().pdu["auth_events"] });
  const [create, levels, join] = scene.event().pdu["auth_events"] as string[];
  const doubled = scene.event({ auth_events: [create, levels, join, levels] });
  const unneeded = scene.event({ auth_events: [create, levels, join, scene.newest] });
  const elsewhere = scene.event({ room_id: "!nowhere:elsewhere.test" });
  const { pdus } = await send([foreign.pdu, doubled.pdu, unneeded.pdu, elsewhere.pdu]);
  t.equal(pdus[elsewhere.id], undefined, "an unknown room");
  await scene.settle();
  for (const { id } of [foreign, doubled, unneeded, elsewhere]) t.notOk(await scene.shows(id));
});

t.test(
  "getMissingPreviousEvents: events that nobody asked for, and chains without an end, lead nowhere",
  async (t) => {
    const room = await Scene.open();
    const asked: string[] = [];
    let links = 0;
    peer.answers.set(`${federation}/get_missing_events/`, (_uri, body) => {
      asked.push(...(body["latest_events"] as string[]));
      const unasked = room.event({
        content: { msgtype: "m.text", body: "unasked" },
        prev_events: [room.newest],
      });
      // Each of the chain follows another that is missing as well.
      const chain = Array.from({ length: 40 }, () => room.event({ prev_events: [`$missing-${++links}`] }));
      return { status: 200, body: { events: [unasked.pdu, ...chain.map(({ pdu }) => pdu)] } };
    });
    peer.answers.set(`${federation}/state_ids/`, () => notServed);
    t.teardown(() => peer.answers.clear());
    const lost = room.event({ prev_events: ["$never"] });
    await send([lost.pdu]);
    await room.settle();
    t.notOk(await room.shows(lost.id));
    t.same(asked, [lost.id], "it is asked for once");
    const { body } = await alice.get(
      `${client}/rooms/${encodeURIComponent(room.roomId)}/messages?dir=b&limit=50`,
    );
    t.notMatch(JSON.stringify(body), /unasked/);
  },
);

t.test(
  "getRoomStateIds: a state of events that are not to be had, or of another room, is not believed",
  async (t) => {
    const room = await Scene.open();
    t.teardown(() => peer.answers.clear());
    peer.answers.set(`${federation}/get_missing_events/`, () => ({ status: 200, body: { events: [] } }));
    const answers: Json[] = [
      { pdu_ids: Array.from({ length: 2_000 }, (_, index) => `$${index}`), auth_chain_ids: [] },
      { pdu_ids: [1, 2, 3], auth_chain_ids: [] },
      { pdu_ids: [(await Scene.open()).newest], auth_chain_ids: [] },
      { pdu_ids: ["$not-to-be-had"], auth_chain_ids: [] },
      {},
    ];
    for (const body of answers) {
      peer.answers.set(`${federation}/state_ids/`, () => ({ status: 200, body }));
      const lost = room.event({ prev_events: ["$never"], content: { n: answers.indexOf(body) } });
      await send([lost.pdu]);
      await room.settle();
      t.notOk(await room.shows(lost.id));
    }
  },
);

t.test("sendTransaction: an event whose past comes later is judged anew", async (t) => {
  const room = await Scene.open();
  const first = room.event({ type: "m.event.a" });
  const second = room.event({ type: "m.event.b", prev_events: [first.id] });
  await send([second.pdu]);
  await room.settle();
  t.notOk(await room.shows(second.id), "what it follows is not to be had");
  await send([first.pdu]);
  await send([second.pdu]);
  await room.settle();
  t.ok(await room.shows(first.id));
  t.ok(await room.shows(second.id));
});

t.test("sendTransaction: whom the room's ACL denies sends nothing into it", async (t) => {
  const room = await Scene.open();
  const path = `${client}/rooms/${encodeURIComponent(room.roomId)}/state/m.room.server_acl`;
  await alice.put(path, { allow: ["*"], deny: ["127.0.0.1"], allow_ip_literals: true });
  const denied = room.event();
  const { pdus } = await send([denied.pdu]);
  t.match(pdus[denied.id]?.error, /ACL/);
  t.notOk(await room.shows(denied.id));
  const missing = await peer.request(server, "POST", `${federation}/get_missing_events/${room.roomId}`, {
    earliest_events: [],
    latest_events: [room.newest],
  });
  t.equal(missing.status, 403);
});
