import { setTimeout as delay } from "node:timers/promises";
import t from "tap";
import { patienceMs, until, within } from "../../../spec-tests/support/within.ts";
import type { IndexProgress, RoomToIndex, SearchIndex } from "../../storage/search-index.ts";
import type { StreamChange } from "../../storage/streams.ts";
import { type Clock, systemClock } from "../../telemetry/clock.ts";
import { createLogTo } from "../../telemetry/log.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { SearchFollower } from "./search-follower.ts";

const change = (nid: number, position: number): StreamChange => ({ stream: "timeline", nid, position });

class FakeIndex implements SearchIndex {
  begun = 0;
  begins = 0;
  unfinished: readonly number[] = [];
  readonly asked: RoomToIndex[][] = [];
  failures = 0;
  tidied = 0;
  /** Rooms that are not done at once. */
  readonly slow = new Set<number>();
  /** What happens while rooms are indexed, once. */
  meanwhile: (() => void) | undefined;

  async begin(): Promise<IndexProgress> {
    this.begins += 1;
    return { upTo: this.begun, unfinished: this.unfinished };
  }

  async reached(position: number): Promise<void> {
    this.begun = position;
  }

  async indexRooms(rooms: readonly RoomToIndex[]): Promise<number[]> {
    this.meanwhile?.();
    this.meanwhile = undefined;
    await delay(1);
    if (this.failures-- > 0) throw new Error("the disk is full");
    this.asked.push([...rooms]);
    const done = rooms.filter(({ roomNid }) => !this.slow.has(roomNid)).map(({ roomNid }) => roomNid);
    this.slow.clear();
    return done;
  }

  async tidy(): Promise<boolean> {
    this.tidied += 1;
    return this.tidied % 3 === 0;
  }

  find(): never {
    throw new Error("nobody searches here");
  }
}

function follow(index: FakeIndex, roomsBehind: readonly number[] = [], clock: Clock = systemClock) {
  const state = { position: 10 };
  const follower = new SearchFollower({
    index,
    rooms: { withEventsAfter: async () => roomsBehind },
    position: () => state.position,
    clock,
    log: createLogTo(process.stderr, "fatal"),
  });
  return { follower, state };
}

t.test("who searches waits for what is new in their rooms, and for no other", async (t) => {
  const index = new FakeIndex();
  index.begun = 10;
  const { follower } = follow(index);
  follower.committed(12, [change(1, 11), change(2, 12)]);
  await follower.catchUp([2], 10_000);
  t.same(
    index.asked[0]?.map(({ roomNid }) => roomNid),
    [2, 1],
    "their rooms come first",
  );
  t.same(index.asked[0]?.[0], { roomNid: 2, upTo: 12 });
  await follower.catchUp([1, 2, 3], 10_000);
  t.equal(index.asked.length, 1, "there is nothing more to wait for");
  await follower[Symbol.asyncDispose]();
});

t.test("who searches waits for what has come while their room was being indexed", async (t) => {
  const index = new FakeIndex();
  index.begun = 10;
  const { follower } = follow(index);
  follower.committed(11, [change(1, 11)]);
  const second = Promise.withResolvers<void>();
  index.meanwhile = () => {
    follower.committed(12, [change(1, 12)]);
    second.resolve(follower.catchUp([1], 10_000));
  };
  await follower.catchUp([1], 10_000);
  await second.promise;
  t.same(index.asked, [[{ roomNid: 1, upTo: 11 }], [{ roomNid: 1, upTo: 12 }]]);
  await follower[Symbol.asyncDispose]();
});

t.test("after a start the rooms are taken up that were left behind", async (t) => {
  const index = new FakeIndex();
  index.begun = 4;
  index.unfinished = [9];
  index.slow.add(8);
  const { follower } = follow(index, [7, 8]);
  await follower.catchUp([8], 10_000);
  t.same(index.asked, [
    [
      { roomNid: 8, upTo: 10 },
      { roomNid: 9, upTo: 10 },
      { roomNid: 7, upTo: 10 },
    ],
    [{ roomNid: 8, upTo: 10 }],
  ]);
  await until(patienceMs, "all to be indexed", () => index.begun !== 4);
  t.equal(index.begun, 10, "the next start has nothing to take up");
  await until(patienceMs, "the index to be tidied", () => index.tidied >= 3);
  t.equal(index.tidied, 3, "until the index is tidy");
  await follower[Symbol.asyncDispose]();
});

t.test("where nothing has ever been written the index is not begun before something is", async (t) => {
  const index = new FakeIndex();
  const clock = new ManualClock();
  const { follower, state } = follow(index, [], clock);
  state.position = 0;
  clock.advance(3_600_000);
  t.equal(index.begins, 0);
  state.position = 1;
  follower.committed(1, [change(1, 1)]);
  clock.advance(60_000);
  t.equal(index.begins, 1);
  await until(patienceMs, "a room to be indexed", () => index.asked.length > 0);
  t.same(index.asked, [[{ roomNid: 1, upTo: 1 }]]);
  await follower[Symbol.asyncDispose]();
});

t.test("a start takes up what was left behind before anybody searches", async (t) => {
  const index = new FakeIndex();
  const clock = new ManualClock();
  const { follower } = follow(index, [7], clock);
  clock.advance(3_000);
  await until(patienceMs, "a room to be indexed", () => index.asked.length > 0);
  t.same(index.asked, [[{ roomNid: 7, upTo: 10 }]]);
  await follower[Symbol.asyncDispose]();
});

t.test("a fault keeps nobody waiting, and what was not indexed is tried again", async (t) => {
  const index = new FakeIndex();
  index.begun = 10;
  index.failures = 1;
  const { follower } = follow(index);
  follower.committed(11, [change(1, 11)]);
  await follower.catchUp([1], 10_000);
  t.equal(index.asked.length, 0);
  await follower.catchUp([1], 10_000);
  t.equal(index.asked.length, 1);
  await follower[Symbol.asyncDispose]();
});

t.test("nobody waits for longer than they want", async (t) => {
  const index = new FakeIndex();
  index.begun = 10;
  let begun = 0;
  index.indexRooms = () => {
    begun += 1;
    return new Promise(() => undefined);
  };
  const { follower } = follow(index);
  follower.committed(11, [change(1, 11)]);
  await within(patienceMs, "the searcher to go on", follower.catchUp([1], 5));
  t.equal(begun, 1, "without what is still being indexed");
});
