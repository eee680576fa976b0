import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  type Answering,
  type FakeServers,
  type Json,
  type Signed,
  sendJson,
  signedText,
} from "./fake-servers.ts";

/** A public room of version 11 that one fake server lets others into. */
export class FakeRoom {
  readonly roomId: string;
  readonly #host: string;
  readonly #servers: readonly string[];
  readonly #auth: readonly Signed[];
  readonly #state: readonly Signed[];
  readonly #members: Signed[];
  #last: Signed;
  #depth: number;
  readonly #fake: FakeServers;
  /** What the servers of the room have been sent, oldest first. */
  readonly received: Json[] = [];
  /** The EDUs among it, each with the server that it came to. */
  readonly edus: { readonly host: string | undefined; readonly edu_type: unknown; readonly content: Json }[] =
    [];
  /** What the second half of the answer to a join is told after. */
  joinGate: Promise<void> = Promise.resolve();
  /** How often somebody has joined. */
  joins = 0;
  /** What the members are told after. */
  gate: Promise<void> = Promise.resolve();
  /** Servers that do not tell them. */
  readonly silentHosts = new Set<string>();
  /** How often somebody has asked for the members. */
  asked = 0;
  /** Before which events they have been asked for. */
  readonly askedBefore: (string | null)[] = [];

  /** @param servers those of the members, who are dealt out to them in turn */
  constructor(
    fake: FakeServers,
    host: string,
    servers: readonly string[],
    memberCount: number,
    moderators: readonly string[] = [],
  ) {
    const creator = `@creator:${host}`;
    const roomId = `!${randomUUID()}:${host}`;
    const key = fake.key(host);
    let depth = 0;
    let last: Signed | undefined;
    const make = (
      signer: typeof key,
      sender: string,
      type: string,
      content: Json,
      auth: readonly Signed[],
      stateKey = "",
    ) => {
      depth += 1;
      last = signedText(signer, {
        room_id: roomId,
        type,
        sender,
        state_key: stateKey,
        content,
        depth,
        origin_server_ts: Date.now(),
        prev_events: last ? [last.id] : [],
        auth_events: auth.map(({ id }) => id),
      });
      return last;
    };
    const own = (type: string, content: Json, auth: readonly Signed[], stateKey = "") =>
      make(key, creator, type, content, auth, stateKey);
    const create = own("m.room.create", { room_version: "11" }, []);
    const joined = own("m.room.member", { membership: "join" }, [create], creator);
    const moderating = Object.fromEntries(moderators.map((userId) => [userId, 50]));
    const users = { [creator]: 100, ...moderating };
    const levels = own("m.room.power_levels", { users }, [create, joined]);
    const resting = [create, levels, joined];
    const rules = own("m.room.join_rules", { join_rule: "public" }, resting);
    this.#state = [
      create,
      levels,
      rules,
      own("m.room.history_visibility", { history_visibility: "shared" }, resting),
      own("m.room.name", { name: "A large room" }, resting),
    ];
    const members = [joined];
    for (let index = 0; index < memberCount; index++) {
      const server = servers[index % servers.length] ?? host;
      const userId = `@member${index}:${server}`;
      const content = {
        membership: "join",
        displayname: `Member ${index}`,
        avatar_url: `mxc://${server}/avatar${index}`,
      };
      members.push(make(fake.key(server), userId, "m.room.member", content, [create, levels, rules], userId));
    }
    this.roomId = roomId;
    this.#fake = fake;
    this.#host = host;
    this.#servers = [host, ...servers];
    this.#auth = [create, joined, levels, rules];
    this.#members = members;
    this.#last = last ?? create;
    this.#depth = depth;
  }

  /** Answers what servers ask who join. @param omitsMembers whether it serves partial states */
  answering(omitsMembers: boolean): Answering {
    return (request, body, response) => {
      const url = new URL(request.url ?? "", "https://peer");
      const [, , , , action = "", room = ""] = url.pathname.split("/");
      if (action === "send") {
        const { pdus = [], edus = [] } = JSON.parse(body) as {
          pdus?: Json[];
          edus?: { edu_type: unknown; content: Json }[];
        };
        this.received.push(...pdus);
        this.edus.push(...edus.map((edu) => ({ ...edu, host: request.headers.host })));
        sendJson(response, { pdus: {} });
        return true;
      }
      if (action === "event") return this.#sendEvent(room, response);
      if (decodeURIComponent(room) !== this.roomId) return false;
      if (action === "make_join") this.#sendTemplate(request, response);
      else if (action === "event_auth") this.#sendEventAuth(response);
      else if (action === "send_join") {
        const isPartial = omitsMembers && url.searchParams.get("omit_members") === "true";
        // What comes later in the room follows the join.
        this.#last = { id: decodeURIComponent(url.pathname.split("/")[6] ?? ""), text: body };
        this.#depth += 1;
        this.#sendJoin(body, response, isPartial);
      } else if (action === "state_ids") {
        this.asked += 1;
        this.askedBefore.push(url.searchParams.get("event_id"));
        if (this.silentHosts.has(request.headers.host ?? "")) return false;
        void this.gate.then(() => this.#sendStateIds(response));
      } else if (action === "state") this.#sendState(response);
      else return false;
      return true;
    };
  }

  get lastId(): string {
    return this.#last.id;
  }

  /** Has a user banned before what has come last. */
  ban(userId: string): void {
    const [create, joined, levels] = this.#auth;
    const [first] = this.#members;
    const ban = signedText(this.#fake.key(this.#host), {
      room_id: this.roomId,
      type: "m.room.member",
      sender: `@creator:${this.#host}`,
      state_key: userId,
      content: { membership: "ban" },
      depth: 5,
      origin_server_ts: Date.now(),
      prev_events: [first?.id],
      auth_events: [create?.id, levels?.id, joined?.id],
    });
    this.#members.push(ban);
  }

  /** Makes an event of the creator, or of somebody else, that follows what the room has got last. */
  event(fields: Json, sender = `@creator:${this.#host}`): Signed {
    const [create, joined, levels] = this.#auth;
    const isCreator = sender.startsWith("@creator:");
    const memberEvent = (userId: unknown) =>
      this.#members.find(({ text }) => text.includes(`"state_key":"${String(userId)}"`));
    const own = isCreator ? joined : memberEvent(sender);
    // Who has come last may be made to leave: that rests on the join.
    const target = fields["type"] === "m.room.member" ? [memberEvent(fields["state_key"]) ?? this.#last] : [];
    this.#depth += 1;
    return signedText(this.#fake.key(sender.slice(sender.indexOf(":") + 1)), {
      room_id: this.roomId,
      sender,
      depth: this.#depth,
      origin_server_ts: Date.now(),
      prev_events: [this.#last.id],
      auth_events: [create, levels, own, ...target].map((event) => event?.id),
      ...fields,
    });
  }

  #sendTemplate(request: IncomingMessage, response: ServerResponse): void {
    const userId = decodeURIComponent(request.url?.split(/[/?]/)[6] ?? "");
    const [create, , levels, rules] = this.#auth;
    sendJson(response, {
      room_version: "11",
      event: {
        room_id: this.roomId,
        type: "m.room.member",
        sender: userId,
        state_key: userId,
        content: { membership: "join" },
        depth: this.#depth + 1,
        prev_events: [this.#last.id],
        auth_events: [create?.id, levels?.id, rules?.id],
      },
    });
  }

  #sendJoin(body: string, response: ServerResponse, isPartial: boolean): void {
    const state = isPartial ? this.#state : [...this.#state, ...this.#currentMembers()];
    response.writeHead(200, { "Content-Type": "application/json" });
    response.write(`{"origin":${JSON.stringify(this.#host)},"members_omitted":${isPartial},"event":${body}`);
    if (isPartial) response.write(`,"servers_in_room":${JSON.stringify(this.#servers)}`);
    this.joins += 1;
    void this.joinGate.then(() => this.#writeLists(response, { auth_chain: this.#auth, state }));
  }

  #sendState(response: ServerResponse): void {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.write('{"room_version":"11"');
    this.#writeLists(response, { auth_chain: this.#auth, pdus: [...this.#state, ...this.#currentMembers()] });
  }

  #writeLists(response: ServerResponse, lists: Readonly<Record<string, readonly Signed[]>>): void {
    for (const [key, events] of Object.entries(lists)) {
      response.write(`,"${key}":[${events.map(({ text }) => text).join(",")}]`);
    }
    response.end("}");
  }

  /** Of each user the newest. */
  #currentMembers(): readonly Signed[] {
    const byUser = new Map(
      this.#members.map((event) => [(JSON.parse(event.text) as Json)["state_key"], event]),
    );
    return [...byUser.values()];
  }

  #sendEventAuth(response: ServerResponse): void {
    sendJson(response, {
      auth_chain: [...this.#auth, ...this.#members].map(({ text }) => JSON.parse(text) as Json),
    });
  }

  #sendStateIds(response: ServerResponse): void {
    sendJson(response, {
      pdu_ids: [...this.#state, ...this.#currentMembers()].map(({ id }) => id),
      auth_chain_ids: this.#auth.map(({ id }) => id),
    });
  }

  #sendEvent(eventId: string, response: ServerResponse): boolean {
    const event = [...this.#state, ...this.#members].find(({ id }) => id === decodeURIComponent(eventId));
    if (!event) return false;
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(`{"origin":"${this.#host}","origin_server_ts":1,"pdus":[${event.text}]}`);
    return true;
  }
}
