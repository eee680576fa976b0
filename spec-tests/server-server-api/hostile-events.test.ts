import t from "tap";
import { canonical } from "../support/canonical-json.ts";
import type { FakePeer } from "../support/fake-peer.ts";
import { joinByPeer, serverAndPeer } from "../support/federated-room.ts";
import { patienceMs, until } from "../support/within.ts";

type Json = Record<string, unknown>;
type Made = ReturnType<FakePeer["event"]>;

const { alice, peer, server } = await serverAndPeer(t);
const client = "/_matrix/client/v3";
const federation = "/_matrix/federation/v1";

/** A room of alice's, with the peer's user in it. */
class Scene {
  readonly roomId: string;
  /** What the events of the peer's user rest on. */
  readonly auth: readonly string[];
  /** Of room versions 1 and 2, where servers choose the IDs of their events. */
  readonly #isOld: boolean;
  /** What the peer's next event follows. */
  newest: string;

  private constructor(roomId: string, version: string, auth: readonly string[], newest: string) {
    this.roomId = roomId;
    this.auth = auth;
    this.#isOld = ["1", "2"].includes(version);
    this.newest = newest;
  }

  static async open(version = "11"): Promise<Scene> {
    const created = await alice.post(`${client}/createRoom`, {
      preset: "public_chat",
      room_version: version,
    });
    const roomId = created.body["room_id"] as string;
    const { joinId, auth } = await joinByPeer(peer, server, alice, roomId, version);
    return new Scene(roomId, version, auth, joinId);
  }

  /** A message of the peer's user, with changes. */
  event(fields: Json = {}): Made {
    const { prev_events: prev = [this.newest], auth_events: auth = this.auth, ...rest } = fields;
    return peer.event({
      ...(this.#isOld && { event_id: nextId() }),
      room_id: this.roomId,
      type: "m.room.message",
      sender: peer.userId,
      content: { msgtype: "m.text", body: "hello" },
      depth: 50,
      prev_events: this.#references(prev as string[]),
      auth_events: this.#references(auth as string[]),
      ...rest,
    });
  }

  /** The peer's user joins once more. */
  join(fields: Json): Made {
    const content = { membership: "join" };
    return this.event({ type: "m.room.member", state_key: peer.userId, content, ...fields });
  }

  #references(ids: readonly string[]): unknown[] {
    return this.#isOld ? ids.map((id) => [id, { sha256: "AAAA" }]) : [...ids];
  }

  /** Sends an ordinary message after others, and waits until it has come: they have been judged then. */
  async settle(): Promise<void> {
    const last = this.event({ content: { msgtype: "m.text", body: `settled ${performance.now()}` } });
    await send([last.pdu]);
    await until(patienceMs, "an ordinary message", () => this.shows(last.id));
    this.newest = last.id;
  }

  async shows(eventId: string): Promise<boolean> {
    const path = `${client}/rooms/${encodeURIComponent(this.roomId)}/event/${encodeURIComponent(eventId)}`;
    return (await alice.get(path)).status === 200;
  }
}

let names = 0;
/** An event's ID as old rooms have them. */
function nextId(): string {
  return `$event-${++names}:${peer.name}`;
}

let transactions = 0;
async function send(pdus: readonly Json[], edus: readonly Json[] = []) {
  const content = { origin: peer.name, origin_server_ts: 1, pdus, edus };
  const uri = `${federation}/send/hostile-${++transactions}`;
  const answer = await peer.request(server, "PUT", uri, content);
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
    const { id, pdu } = scene.event();
    const once = canonical({ origin: peer.name, origin_server_ts: 1, pdus: [pdu] });
    const twice = once.replace('"type":', '"type":"m.room.name","type":');
    const put = (text: string, name: string) =>
      peer.request(server, "PUT", `${federation}/send/${name}`, undefined, { text });
    const refused = await put(twice, "twice");
    t.match([refused.status, refused.body["errcode"]], [400, "M_BAD_JSON"]);
    t.same(await put(once, "once"), { status: 200, body: { pdus: { [id]: {} } } });
    scene.newest = id;
    await scene.settle();
    t.ok(await scene.shows(id), "the signature is right where no key occurs twice");
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

/** How many requests the peer has been sent that begin so. */
const asked = (what: string, since: number) =>
  peer.uris.slice(since).filter((uri) => uri.startsWith(`${federation}/${what}/`)).length;

for (const version of ["1", "2"]) {
  t.test(
    `sendTransaction: events that rest on each other or themselves, in room version ${version}`,
    async (t) => {
      const room = await Scene.open(version);
      const [create = "", levels = ""] = room.auth;
      const [a, b, c] = [nextId(), nextId(), nextId()];
      const one = room.join({ event_id: a, auth_events: [create, levels, b] });
      const other = room.join({ event_id: b, auth_events: [create, levels, a] });
      const self = room.join({ event_id: c, auth_events: [create, levels, c] });
      const circle = [one, other, self];
      const chain = circle.map(({ pdu }) => pdu);
      peer.answers.set(`${federation}/event_auth/`, () => ({ status: 200, body: { auth_chain: chain } }));
      t.teardown(() => peer.answers.clear());
      const since = peer.uris.length;
      const honest = room.event();
      await send([...chain, honest.pdu]);
      room.newest = honest.id;
      await room.settle();
      t.ok(await room.shows(honest.id));
      for (const { id } of circle) t.notOk(await room.shows(id));
      t.equal(asked("event_auth", since), 3, "each is asked about once");

      // The same as a state that is told, and as what it rests on.
      const ids = circle.map(({ id }) => id);
      const before = room.event({ prev_events: [nextId()] });
      const follower = room.event({ prev_events: [before.id] });
      const events = [before.pdu];
      peer.answers.set(`${federation}/get_missing_events/`, () => ({ status: 200, body: { events } }));
      const state = { pdu_ids: [...room.auth, ...ids], auth_chain_ids: [...room.auth, ...ids] };
      peer.answers.set(`${federation}/state_ids/`, () => ({ status: 200, body: state }));
      peer.answers.set(`${federation}/event/`, (uri) => {
        const found = circle.find(({ id }) => uri.endsWith(encodeURIComponent(id)));
        return found ? { status: 200, body: { pdus: [found.pdu] } } : notServed;
      });
      const sinceState = peer.uris.length;
      await send([follower.pdu]);
      await room.settle();
      t.notOk(await room.shows(follower.id));
      t.equal(asked("state_ids", sinceState), 1);
      t.ok(asked("event", sinceState) <= 4);
    },
  );

  t.test(
    `sendTransaction: events that follow each other or themselves, in room version ${version}`,
    async (t) => {
      const room = await Scene.open(version);
      const [a, b, c] = [nextId(), nextId(), nextId()];
      const one = room.event({ event_id: a, prev_events: [b] });
      const other = room.event({ event_id: b, prev_events: [a] });
      const self = room.event({ event_id: c, prev_events: [c, room.newest] });
      const known = new Map([one, other, self].map(({ id, pdu }) => [id, pdu]));
      // Of each event that one which it follows: what comes of that is never whole.
      peer.answers.set(`${federation}/get_missing_events/`, (_uri, body) => {
        const [latest = ""] = body["latest_events"] as string[];
        const [[prev] = [""]] = (known.get(latest) ?? {})["prev_events"] as [[string]?];
        return { status: 200, body: { events: [known.get(prev)] } };
      });
      const state = { pdu_ids: room.auth, auth_chain_ids: room.auth };
      peer.answers.set(`${federation}/state_ids/`, () => ({ status: 200, body: state }));
      peer.answers.set(`${federation}/event/`, (uri) => {
        const pdu = known.get(decodeURIComponent(uri.split("/").at(-1) ?? ""));
        return pdu ? { status: 200, body: { pdus: [pdu] } } : notServed;
      });
      t.teardown(() => peer.answers.clear());
      const since = peer.uris.length;
      const honest = room.event();
      await send([one.pdu, other.pdu, self.pdu, honest.pdu]);
      room.newest = honest.id;
      await room.settle();
      t.ok(await room.shows(honest.id));
      t.notOk(await room.shows(self.id));
      t.ok(await room.shows(a), "the circle has come in, as far as it could be told from a line");
      t.ok(asked("get_missing_events", since) <= 3);
      t.ok(asked("state_ids", since) <= 3);
      t.ok(asked("event", since) <= 6);

      const path = `${client}/rooms/${encodeURIComponent(room.roomId)}/messages?dir=b&limit=100`;
      const shown = (await alice.get(path)).body["chunk"] as { event_id: string }[];
      t.equal(new Set(shown.map(({ event_id: id }) => id)).size, shown.length, "nothing is shown twice");
      t.ok(shown.some(({ event_id: id }) => id === honest.id));
      const missing = await peer.request(
        server,
        "POST",
        `${federation}/get_missing_events/${encodeURIComponent(room.roomId)}`,
        { earliest_events: [], latest_events: [room.newest, a, b], limit: 20 },
      );
      t.equal(missing.status, 200);
    },
  );
}

t.test("getEventAuthorization: answers that name something new each time are asked for once", async (t) => {
  const room = await Scene.open();
  const [create = "", levels = ""] = room.auth;
  let links = 0;
  const restless = () => room.join({ auth_events: [create, levels, `$never-${++links}`] });
  peer.answers.set(`${federation}/event_auth/`, () => {
    const chain = Array.from({ length: 100 }, () => restless().pdu);
    return { status: 200, body: { auth_chain: chain } };
  });
  t.teardown(() => peer.answers.clear());
  const since = peer.uris.length;
  const hostile = Array.from({ length: 5 }, restless);
  const honest = room.event();
  await send([...hostile.map(({ pdu }) => pdu), honest.pdu]);
  room.newest = honest.id;
  await room.settle();
  t.ok(await room.shows(honest.id));
  for (const { id } of hostile) t.notOk(await room.shows(id));
  t.equal(asked("event_auth", since), hostile.length);
  t.equal(peer.uris.slice(since).filter((uri) => uri.includes("never")).length, 0);
});

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
