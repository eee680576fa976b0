import type { TestAnswer, TestClient } from "../support/client.ts";
import { registerUser } from "../support/client.ts";
import type { TestServer } from "../support/server.ts";

/** Something that a client asked the server to store. */
export interface Write {
  readonly sender: TestClient;
  /** Encoded for a path; empty for what is not sent to a room. */
  readonly room: string;
  readonly kind: "message" | "state" | "join" | "to-device";
  /** Says which write an event comes from: it is in the event's content, or is the user who joins. */
  readonly mark: string;
  /** Counts what happens in a storm: when the request was sent … */
  readonly sentAt: number;
  /** … and when its answer came; `undefined` while nobody knows whether the server has stored it. */
  answeredAt: number | undefined;
  eventId: string | undefined;
}

/** How many writes one sender makes in one storm at most. */
const maxWritesPerSender = 400;

/** Every so many writes of a sender, one sets state. */
const stateInterval = 5;

/** Sends one write, or sends it once more. */
export function send(write: Write): Promise<TestAnswer> {
  const { sender, room, kind, mark } = write;
  const client = "/_matrix/client/v3";
  if (kind === "join") return sender.post(`${client}/rooms/${room}/join`, {}, "joinRoomById");
  if (kind === "state") {
    const path = `${client}/rooms/${room}/state/test.mark/${encodeURIComponent(sender.userId)}`;
    return sender.put(path, { mark }, "setRoomStateWithKey");
  }
  const transaction = encodeURIComponent(mark);
  if (kind === "message") {
    const path = `${client}/rooms/${room}/send/m.room.message/${transaction}`;
    return sender.put(path, { msgtype: "m.text", body: mark, mark }, "sendMessage");
  }
  const messages = { [sender.userId]: { "*": { mark } } };
  return sender.put(`${client}/sendToDevice/test.mark/${transaction}`, { messages }, "sendToDevice");
}

/** Many clients that write at the same time, each one write after the other, until the server is gone. */
export class WriteStorm {
  /** Everything that was ever asked for, in the order of asking. */
  readonly writes: Write[] = [];
  /** Users whose registration was answered. */
  readonly newcomers: TestClient[] = [];
  readonly #server: TestServer;
  #counter = 0;
  #answers = 0;
  #enough: { readonly count: number; readonly reached: () => void } | undefined;

  constructor(server: TestServer) {
    this.#server = server;
  }

  /**
   * Starts a storm that ends when the server does.
   * @returns `struck`: `count` writes have been answered; `over`: every sender has stopped
   */
  begin(
    senders: readonly TestClient[],
    rooms: readonly string[],
    count: number,
  ): { struck: Promise<void>; over: Promise<unknown> } {
    const struck = Promise.withResolvers<void>();
    this.#answers = 0;
    this.#enough = { count, reached: struck.resolve };
    const inRooms = senders.flatMap((sender) => rooms.map((room) => this.#writeEvents(sender, room)));
    const toDevices = senders.slice(0, 1).map((sender) => this.#writeToDevices(sender));
    const over = Promise.all([...inRooms, ...toDevices, this.#join(rooms)]);
    // A sender that stops for another reason than the server's end must not leave the test waiting.
    over.catch(struck.reject);
    return { struck: struck.promise, over };
  }

  /** Writes once and remembers it; false when the server has gone meanwhile. */
  async write(parts: Pick<Write, "sender" | "room" | "kind" | "mark">): Promise<boolean> {
    const write: Write = { ...parts, sentAt: ++this.#counter, answeredAt: undefined, eventId: undefined };
    this.writes.push(write);
    const answer = await unlessGone(send(write));
    if (answer) this.answered(write, answer);
    return answer !== undefined;
  }

  /** @throws when the server refused */
  answered(write: Write, { status, body }: TestAnswer): void {
    if (status !== 200) throw new Error(`${write.kind} ${write.mark}: ${status} ${JSON.stringify(body)}`);
    write.answeredAt = ++this.#counter;
    if (typeof body["event_id"] === "string") write.eventId = body["event_id"];
    this.#answers += 1;
    if (this.#answers === this.#enough?.count) this.#enough.reached();
  }

  async #writeEvents(sender: TestClient, room: string): Promise<void> {
    for (let i = 0; i < maxWritesPerSender; i++) {
      const kind = i % stateInterval === 0 ? "state" : "message";
      const mark = `${sender.userId} ${this.#counter + 1}`;
      if (!(await this.write({ sender, room, kind, mark }))) return;
    }
  }

  async #writeToDevices(sender: TestClient): Promise<void> {
    for (let i = 0; i < maxWritesPerSender; i++) {
      const mark = `to-device ${this.#counter + 1}`;
      if (!(await this.write({ sender, room: "", kind: "to-device", mark }))) return;
    }
  }

  /** One new user after the other, who joins one of the rooms. */
  async #join(rooms: readonly string[]): Promise<void> {
    for (let i = 0; i < maxWritesPerSender; i++) {
      const newcomer = await unlessGone(registerUser(this.#server));
      if (!newcomer) return;
      this.newcomers.push(newcomer);
      const room = rooms[i % rooms.length] ?? "";
      if (!(await this.write({ sender: newcomer, room, kind: "join", mark: newcomer.userId }))) return;
    }
  }
}

/** What a request gave, or `undefined` when the server went away before it answered in full. */
export async function unlessGone<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    // This is how fetch reports every failure of the network.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
