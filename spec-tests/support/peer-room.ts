import type { FakePeer, PeerAnswer } from "./fake-peer.ts";

type Json = Record<string, unknown>;
type PeerEvent = ReturnType<FakePeer["event"]>;

const federation = "/_matrix/federation";
let rooms = 0;

/** A room of version 11 that its server, a fake one, has made: public, with the peer's user as its only member. */
export class PeerRoom {
  readonly peer: FakePeer;
  readonly roomId: string;
  /** In the order in which they were sent. */
  readonly events: readonly PeerEvent[];

  constructor(peer: FakePeer, createContent: Json = { room_version: "11" }) {
    this.peer = peer;
    this.roomId = `!room${rooms++}:${peer.name}`;
    const events: PeerEvent[] = [];
    const add = (type: string, stateKey: string, content: Json, auth: number[]) => {
      const prev = events.at(-1);
      events.push(
        this.event({
          type,
          state_key: stateKey,
          content,
          depth: events.length + 1,
          prev_events: prev ? [prev.id] : [],
          auth_events: auth.map((index) => events[index]?.id),
        }),
      );
    };
    add("m.room.create", "", createContent, []);
    add("m.room.member", peer.userId, { membership: "join" }, [0]);
    add("m.room.power_levels", "", { users: { [peer.userId]: 100 } }, [0, 1]);
    add("m.room.join_rules", "", { join_rule: "public" }, [0, 1, 2]);
    this.events = events;
  }

  get path(): string {
    return encodeURIComponent(this.roomId);
  }

  /** An event of the peer's user. */
  event(fields: Json): PeerEvent {
    return this.peer.event({ room_id: this.roomId, sender: this.peer.userId, ...fields });
  }

  get state(): Json[] {
    return this.events.map(({ pdu }) => pdu);
  }

  /** What somebody has to sign to become something. */
  template(userId: string, membership: string): Json {
    const [create, , levels, rules] = this.events;
    return {
      type: "m.room.member",
      room_id: this.roomId,
      sender: userId,
      state_key: userId,
      content: { membership },
      depth: this.events.length + 1,
      prev_events: [this.events.at(-1)?.id],
      auth_events: [create?.id, levels?.id, rules?.id],
    };
  }

  /** Has the peer propose joins of this room. */
  proposesJoins(change: (event: Json) => Json = (event) => event, version = "11"): void {
    this.peer.answers.set(`${federation}/v1/make_join/${this.path}/`, (uri) => {
      const [, userId = ""] = /make_join\/[^/]+\/([^?]+)/.exec(uri) ?? [];
      const event = change(this.template(decodeURIComponent(userId), "join"));
      return { status: 200, body: { room_version: version, event } };
    });
  }

  /** What the peer answers to joins; as it should unless changed. */
  joinAnswer(join: Json, changes: Json = {}): Json {
    const state = this.state;
    return {
      auth_chain: state,
      state,
      event: join,
      origin: this.peer.name,
      members_omitted: false,
      ...changes,
    };
  }

  /** Has the peer answer to joins. @param form of the request: `v1` or `v2` */
  takesJoins(answer: (join: Json) => PeerAnswer, form = "v2"): void {
    this.peer.answers.set(`${federation}/${form}/send_join/${this.path}/`, (_uri, join) => answer(join));
  }
}
