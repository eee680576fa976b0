import type { Test } from "tap";
import type { Database } from "../database.ts";
import type { IndexQuery, RoomToIndex, SearchIndex } from "../search-index.ts";
import { parseSearchTerms } from "../search-terms.ts";
import { commitMessages } from "./message-fixture.ts";

const end = Number.MAX_SAFE_INTEGER;
const start = Number.MIN_SAFE_INTEGER;

function query(term: string, roomNids: readonly number[], more: Partial<IndexQuery> = {}): IndexQuery {
  return {
    terms: parseSearchTerms(term),
    rooms: roomNids.map((roomNid) => ({ roomNid, memberFrom: start, upTo: end })),
    keys: ["body", "name", "topic"],
    senderNids: null,
    notSenderNids: [],
    withUrl: false,
    upTo: end,
    downTo: start,
    limit: 100,
    scored: false,
    countLimit: 100,
    ...more,
  };
}

async function found(index: SearchIndex, of: IndexQuery): Promise<number[]> {
  return (await index.find(of)).hits.map(({ eventNid }) => eventNid);
}

/** What every back end's index of messages does. */
export function searchIndexContract(t: Test, open: () => Promise<Database>): void {
  t.test(
    "search index: rooms are indexed chunk by chunk, and searched by themselves or together",
    async (t) => {
      await using database = await open();
      const { searchIndex: index } = database;
      t.same(await index.begin(0), { upTo: 0, unfinished: [] });
      const first = await commitMessages(database, 1, ["alpha one", "alpha two", "beta"]);
      const second = await commitMessages(database, 2, ["alpha three"]);
      const rooms = [
        { roomNid: 1, upTo: first.position },
        { roomNid: 2, upTo: second.position },
      ];
      t.same(await index.indexRooms(rooms, 2), [], "no more than so many events at once");
      t.same(await found(index, query("alpha", [1, 2])), first.eventNids.slice(0, 2).toReversed());
      t.same(await index.indexRooms(rooms, 100), [1, 2]);
      const all = [...first.eventNids.slice(0, 2), ...second.eventNids].toReversed();
      t.same(await found(index, query("alpha", [1, 2])), all, "the newest first");
      t.same(await found(index, query("alpha", [1])), first.eventNids.slice(0, 2).toReversed());
      t.same(await found(index, query("alpha", [])), []);
      t.same(await found(index, query("alpha", [99])), [], "nobody knows this room");
    },
  );

  t.test("search index: pages, counts and bounds", async (t) => {
    await using database = await open();
    const { searchIndex: index } = database;
    await index.begin(0);
    const { eventNids, position } = await commitMessages(
      database,
      1,
      Array.from({ length: 10 }, (_, count) => `gamma ${count}`),
    );
    await index.indexRooms([{ roomNid: 1, upTo: position }], 100);
    const page = await index.find(query("gamma", [1], { limit: 4 }));
    t.same(
      page.hits.map(({ eventNid }) => eventNid),
      eventNids.toReversed().slice(0, 4),
    );
    t.equal(page.count, 10);
    const next = await index.find(
      query("gamma", [1], { limit: 100, upTo: (page.reached ?? 0) - 1, countLimit: 0 }),
    );
    t.same(
      next.hits.map(({ eventNid }) => eventNid),
      eventNids.toReversed().slice(4),
    );
    t.equal(next.reached, undefined, "that is all");
    t.equal((await index.find(query("gamma", [1], { limit: 2, countLimit: 5 }))).count, 5);
    const middle = page.hits[2]?.position ?? 0;
    const member = [{ roomNid: 1, memberFrom: middle, upTo: end }];
    const certain = await index.find(query("gamma", [1], { rooms: member }));
    t.same([certain.hits.length, certain.count], [10, 3], "what is not certain to be seen is not counted");
    const left = [{ roomNid: 1, memberFrom: start, upTo: middle }];
    t.equal((await found(index, query("gamma", [1], { rooms: left }))).length, 8, "nothing after the end");
    t.same(await found(index, query("gamma", [1], { senderNids: [99] })), []);
    t.same(await found(index, query("gamma", [1], { notSenderNids: [1] })), []);
    t.same(await found(index, query("gamma", [1], { keys: ["name"] })), []);
    t.same(await found(index, query("gamma", [1], { withUrl: true })), []);
  });

  t.test("search index: that of another database is thrown away", async (t) => {
    await using database = await open();
    const { searchIndex: index } = database;
    await index.begin(0);
    const { position } = await commitMessages(database, 1, ["delta"]);
    await index.indexRooms([{ roomNid: 1, upTo: position }], 100);
    await index.reached(position);
    t.equal((await index.begin(position)).upTo, position);
    t.equal((await found(index, query("delta", [1]))).length, 1);
    t.equal((await index.begin(position - 1)).upTo, 0, "the database has been put back");
    t.same(await found(index, query("delta", [1])), []);
    t.same(await index.indexRooms([{ roomNid: 1, upTo: position }], 100), [1]);
    t.equal((await found(index, query("delta", [1]))).length, 1);
  });

  t.test("search index: events that come into gaps of timelines", async (t) => {
    await using database = await open();
    const { searchIndex: index } = database;
    await index.begin(0);
    const before = await commitMessages(database, 1, ["epsilon before"]);
    const after = await commitMessages(database, 1, ["epsilon after"], { followsGap: true });
    const room = [{ roomNid: 1, upTo: after.position }];
    t.same(await index.indexRooms(room, 100), [1]);
    const [first = 0, second = 0, third = 0] = [3, 2, 1].map((distance) => after.position - distance);
    const late = await commitMessages(database, 1, ["epsilon two", "epsilon three"], {
      historyPositions: [second, third],
      filledGap: { position: after.position, left: [{ position: second, followers: [99] }] },
    });
    t.same((await index.begin(after.position)).unfinished, [1], "after a crash, too");
    t.same(await indexAll(index, room), [1]);
    const shown = () => found(index, query("epsilon", [1]));
    const newestFirst = [...after.eventNids, ...late.eventNids.toReversed()];
    t.same(await shown(), [...newestFirst, ...before.eventNids], "in their places");
    const last = await commitMessages(database, 1, ["epsilon one"], {
      historyPositions: [first],
      filledGap: { position: second, left: [] },
    });
    t.same(await indexAll(index, room), [1]);
    t.same(await shown(), [...newestFirst, ...last.eventNids, ...before.eventNids]);
    t.same((await index.begin(after.position)).unfinished, []);
  });

  tidyContract(t, open);
}

/** Enough for the index to be worth tidying. */
const manyMessages = 6_000;

function tidyContract(t: Test, open: () => Promise<Database>): void {
  t.test("search index: after much has come it is tidied, and finds what it has found before", async (t) => {
    await using database = await open();
    const { searchIndex: index } = database;
    await index.begin(0);
    t.ok(await index.tidy(), "there is nothing to tidy");
    const bodies = Array.from({ length: manyMessages }, (_, count) => `zeta${count % 100} ${count}`);
    const { position } = await commitMessages(database, 1, bodies);
    while ((await index.indexRooms([{ roomNid: 1, upTo: position }], 500)).length === 0) continue;
    const before = await found(index, query("zeta7", [1]));
    let steps = 0;
    while (!(await index.tidy())) steps += 1;
    t.ok(steps > 0);
    t.same(await found(index, query("zeta7", [1])), before);
    t.ok(await index.tidy(), "once is enough");
  });
}

async function indexAll(index: SearchIndex, rooms: readonly RoomToIndex[]): Promise<number[]> {
  for (let chunks = 0; chunks < 100; chunks++) {
    // Small ones, so that there are several.
    const done = await index.indexRooms(rooms, 1);
    if (done.length > 0) return done;
  }
  throw new Error("the rooms are never done");
}
