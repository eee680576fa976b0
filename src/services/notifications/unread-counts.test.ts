import fc from "fast-check";
import t from "tap";
import { PushRuleCompiler } from "../../protocol/push/compile.ts";
import { defaultPushRules } from "../../protocol/push/default-rules.ts";
import { untouchedPushRules } from "../../protocol/push/rules.ts";
import { messageForPush } from "../../protocol/push/testing/events.ts";
import type { StoredEvent } from "../../storage/events.ts";
import { mainThread, unthreaded } from "../../storage/receipts.ts";
import type { StreamChange } from "../../storage/streams.ts";
import type { UnreadCheckpoint } from "../../storage/unread-checkpoints.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { Pace } from "../../telemetry/pace.ts";
import { ReadMarks } from "./read-marks.ts";
import { RecentEvents } from "./recent-events.ts";
import type { RoomStanding } from "./room-standings.ts";
import { UnreadCounts, type UnreadCountsParts } from "./unread-counts.ts";

const userNid = 1;
const otherNid = 2;
const carolNid = 3;
const danNid = 4;
const roomNid = 7;
const userId = "@alice:example.org";
const joinedAt = 10;
const maxCounted = 1_000;
const rules = new PushRuleCompiler(defaultPushRules()).untouched;

interface TestMessage {
  readonly position: number;
  readonly senderNid: number;
  readonly thread: string;
  readonly isMention: boolean;
  /** Notifies nobody. */
  readonly isNotice: boolean;
  isRedacted: boolean;
}

/** A room in memory, with the user's receipts in it, and a service that counts on top. */
class TestRoom {
  readonly messages: TestMessage[] = [];
  readonly receipts = new Map<string, number>();
  checkpoint: UnreadCheckpoint | undefined;
  position = joinedAt;
  /** Events as push rules see them. */
  eventsRead = 0;
  outlinesRead = 0;
  standingsRead = 0;
  rules = rules;
  /** Reading fails. */
  isBroken = false;
  readonly #recentEvents = new RecentEvents({
    timelines: {
      newest: async (_room, after, upTo, limit) => {
        const found = this.#between(after, upTo);
        return { events: found.slice(-limit), hasMore: found.length > limit, followsGap: false };
      },
    },
    store: {
      outlinesBackwards: async (_room, from, downTo, limit) => {
        const found = this.#between(downTo, from).toReversed().slice(0, limit);
        this.outlinesRead += found.length;
        return found;
      },
    },
  });
  readonly service = this.#newService();

  send(senderNid: number, thread: string, isMention = false, isNotice = false): void {
    const { position } = { position: ++this.position };
    this.messages.push({ position, senderNid, thread, isMention, isNotice, isRedacted: false });
    this.#commit({ stream: "timeline", nid: roomNid });
  }

  redact(message: TestMessage): void {
    message.isRedacted = true;
    this.position++;
    this.#commit({ stream: "timeline", nid: roomNid, redactedNid: message.position });
  }

  read(thread: string, position: number): void {
    this.receipts.set(thread, Math.max(position, this.receipts.get(thread) ?? 0));
    this.position++;
    this.#commit({ stream: "notifications", nid: userNid, readRoomNid: roomNid });
  }

  /** Makes the service forget what it knows of the user in the room. */
  forget(): void {
    const membership = { roomNid, joined: false };
    this.#commit({ stream: "membership", nid: userNid, membership });
  }

  async counts(): Promise<Record<string, [number, number]>> {
    const { byThread } = await this.service.of(userNid, roomNid, this.position);
    return Object.fromEntries(
      [...byThread].map(([thread, count]) => [thread, [count.notifications, count.highlights]]),
    );
  }

  /** The same by the letter of the specification. */
  expected(): Record<string, [number, number]> {
    const counts: Record<string, [number, number]> = {};
    for (const message of this.messages) {
      const { thread, position, isMention } = message;
      const answered = this.messages.findLast((own) => own.senderNid === userNid && own.thread === thread);
      const readUpTo = Math.max(
        this.receipts.get(unthreaded) ?? 0,
        this.receipts.get(thread) ?? 0,
        answered?.position ?? 0,
      );
      const isOwn = message.senderNid === userNid;
      if (isOwn || message.isNotice || message.isRedacted || position <= readUpTo) continue;
      const count = (counts[thread] ??= [0, 0]);
      count[0]++;
      if (isMention) count[1]++;
    }
    return counts;
  }

  #commit(change: Omit<StreamChange, "position">): void {
    const changes = [{ ...change, position: this.position }];
    this.#recentEvents.committed(this.position, changes);
    this.service.committed(this.position, changes);
  }

  #newService(): UnreadCounts {
    const parts: UnreadCountsParts = {
      recentEvents: this.#recentEvents,
      standings: {
        among: async (userNids, roomNids) => new Map(roomNids.map((nid) => [nid, this.#standing(userNids)])),
      },
      checkpoints: { ofUser: async () => (this.checkpoint ? [this.checkpoint] : []) },
      checkpointWriter: { save: (checkpoint) => (this.checkpoint = checkpoint) },
      pushEvents: { of: async (eventNid) => this.#pushable(eventNid) },
      pushRules: { compiledFor: async () => this.rules, untouched: rules },
      threads: { inThread: async (user) => user },
      accountData: { ignoredUsers: async () => new Set() },
      names: { userId: async (nid) => (nid === userNid ? userId : "@carol:example.org") },
      pace: new Pace(new ManualClock()),
    };
    return new UnreadCounts(parts);
  }

  #standing(nid: number): RoomStanding {
    if (this.isBroken) throw new Error("the disk is broken");
    this.standingsRead++;
    const receipts = nid === userNid ? [...this.receipts] : [];
    const marks = receipts.map(([thread, eventPosition]) => ({ thread, eventPosition }));
    return { marks: new ReadMarks(joinedAt, marks), displayName: undefined };
  }

  #between(after: number, upTo: number): StoredEvent[] {
    return this.messages.filter(({ position }) => position > after && position <= upTo).map(stored);
  }

  #pushable(position: number) {
    if (this.isBroken && this.eventsRead % 2 === 1) throw new Error("the disk is broken");
    this.eventsRead++;
    const message = this.messages.find((candidate) => candidate.position === position);
    if (message?.isNotice)
      return { event: messageForPush("hello", { msgtype: "m.notice" }), thread: message.thread };
    const mentions = message?.isMention ? { "m.mentions": { user_ids: [userId] } } : {};
    return { event: messageForPush("hello", mentions), thread: message?.thread ?? mainThread };
  }
}

function stored({ position, senderNid, isRedacted }: TestMessage): StoredEvent {
  const event: Partial<StoredEvent> = {
    eventNid: position,
    position,
    senderNid,
    pairNid: null,
    redactedBy: isRedacted ? 1 : null,
  };
  return event as StoredEvent;
}

const threads = [mainThread, "$a", "$b"];

t.test(
  "however events, receipts, redactions and loss of memory follow on each other, the counts are right",
  async () => {
    const thread = fc.constantFrom(...threads);
    const step = fc.oneof(
      fc.record({ kind: fc.constant("message"), thread, isMention: fc.boolean() }),
      fc.record({ kind: fc.constant("notice"), thread }),
      fc.record({ kind: fc.constant("own"), thread }),
      fc.record({ kind: fc.constant("receipt"), thread: fc.option(thread), back: fc.nat(8) }),
      fc.record({ kind: fc.constant("redaction"), thread, back: fc.nat(8) }),
      fc.record({ kind: fc.constantFrom("count", "count", "forget"), thread }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
        const room = new TestRoom();
        for (const { kind, thread: threadId, ...more } of steps) {
          const back = "back" in more ? more.back : 0;
          const target = room.messages.at(-1 - back);
          if (kind === "message")
            room.send(otherNid, threadId ?? mainThread, "isMention" in more && more.isMention);
          else if (kind === "notice") room.send(otherNid, threadId ?? mainThread, false, true);
          else if (kind === "own") room.send(userNid, threadId ?? mainThread);
          else if (kind === "receipt" && target) room.read(threadId ?? unthreaded, target.position);
          else if (kind === "redaction" && target) room.redact(target);
          else if (kind === "forget") room.forget();
          else if (kind === "count") assertSame(await room.counts(), room.expected());
        }
        assertSame(await room.counts(), room.expected());
      }),
      { numRuns: 60 },
    );
  },
);

function assertSame(actual: object, expected: object): void {
  const text = (counts: object) =>
    JSON.stringify(Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  if (text(actual) !== text(expected)) throw new Error(`${text(actual)} is not ${text(expected)}`);
}

t.test("an event is looked at once, and nothing when nothing is new", async (t) => {
  const room = new TestRoom();
  for (let index = 0; index < 20; index++) room.send(otherNid, mainThread);
  t.same(await room.counts(), { main: [20, 0] });
  t.equal(room.eventsRead, 20);
  room.send(otherNid, "$a");
  t.same(await room.counts(), { main: [20, 0], $a: [1, 0] });
  await room.counts();
  t.equal(room.eventsRead, 21);
  room.read(unthreaded, room.messages.at(-1)?.position ?? 0);
  t.same(await room.counts(), {});
  t.equal(room.eventsRead, 21);
});

t.test("of very many events the newest are looked at; what was counted before stays", async (t) => {
  const room = new TestRoom();
  for (let index = 0; index < maxCounted + 200; index++) room.send(otherNid, mainThread);
  t.same(await room.counts(), { main: [maxCounted, 0] });
  t.equal(room.eventsRead, maxCounted);
  for (let index = 0; index < 100; index++) room.send(otherNid, mainThread);
  t.same(await room.counts(), { main: [maxCounted + 100, 0] });
  room.forget();
  t.same(await room.counts(), { main: [maxCounted + 100, 0] }, "what took long was saved");
  t.equal(room.eventsRead, maxCounted + 200, "and only what is newer is looked at again");
});

t.test("a failure is told to whoever asked, and the next one has an answer", async (t) => {
  const room = new TestRoom();
  room.send(otherNid, mainThread);
  room.isBroken = true;
  await t.rejects(room.counts(), { message: "the disk is broken" });
  room.isBroken = false;
  t.same(await room.counts(), { main: [1, 0] });
  for (let index = 0; index < 3; index++) room.send(otherNid, mainThread);
  room.isBroken = true;
  await t.rejects(room.counts(), { message: "the disk is broken" }, "amidst counting");
  room.isBroken = false;
  t.same(await room.counts(), { main: [4, 0] });
});

t.test("what notifies nobody is looked at once for all members of a room", async (t) => {
  const room = new TestRoom();
  for (let index = 0; index < 100; index++) room.send(otherNid, mainThread, false, true);
  room.send(otherNid, mainThread);
  t.same(await room.counts(), { main: [1, 0] });
  const { position } = room;
  t.equal(room.outlinesRead, 101);
  t.equal(room.eventsRead, 101);
  const [ofCarol] = await room.service.among(carolNid, [roomNid], position);
  t.match(ofCarol, { notifications: 1, highlights: 0 });
  t.equal(room.outlinesRead, 101, "the events are known");
  t.equal(room.eventsRead, 102, "and all but one are no news to anybody");
  room.rules = new PushRuleCompiler(defaultPushRules()).compile({
    own: { ...untouchedPushRules.own, sender: [{ rule_id: "@dan:example.org", enabled: true, actions: [] }] },
    defaultChanges: {},
  });
  t.match(await room.service.of(danNid, roomNid, position), { notifications: 1 });
  t.equal(room.eventsRead, 203, "whoever has rules of their own has each event judged");
});

t.test("many rooms are counted together, and a receipt that comes meanwhile counts", async (t) => {
  const room = new TestRoom();
  for (let index = 0; index < 3; index++) room.send(otherNid, mainThread);
  const rooms = [roomNid, roomNid + 1, roomNid + 2];
  const counting = room.service.among(userNid, rooms, room.position);
  room.read(unthreaded, room.messages[0]?.position ?? 0);
  t.same(
    (await counting).map(({ notifications }) => notifications),
    [2, 3, 3],
    "nobody has read in the other rooms",
  );
  t.ok(room.standingsRead >= 3);
  const readBefore = room.standingsRead;
  await room.service.among(userNid, rooms, room.position);
  t.equal(room.standingsRead, readBefore, "nothing has changed");
});

t.test("two who ask at once get the same answer", async (t) => {
  const room = new TestRoom();
  for (let index = 0; index < 3; index++) room.send(otherNid, mainThread);
  t.same(await Promise.all([room.counts(), room.counts()]), [{ main: [3, 0] }, { main: [3, 0] }]);
  t.equal(room.eventsRead, 3);
});
