import type { Test } from "tap";
import type { Database } from "../database.ts";
import type { ChildQuery } from "../relations.ts";
import { commitEvents, eventIdOf, type FixtureEvent, roomNid } from "./room-fixture.ts";

const end = Number.MAX_SAFE_INTEGER;
const parent = 1;
const target = eventIdOf(parent);

const child = (eventNid: number, relation: string, more: Partial<FixtureEvent> = {}): FixtureEvent => ({
  eventNid,
  relation: { targetId: target, relation },
  ...more,
});

/** What every back end does with relations between events. */
export function relationStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("relations: what is summed up, and what a redaction takes away", async (t) => {
    await using database = await open();
    const { relations } = database.stores;
    await commitEvents(database, [{ eventNid: parent }, child(2, "m.thread"), child(3, "m.annotation")]);
    const bundled = () => relations.bundledTargets(roomNid, [target, eventIdOf(2)]);
    t.same(await bundled(), [{ targetId: target, relation: "m.thread" }]);
    t.same(await relations.bundledTargets(roomNid + 1, [target]), [], "relations do not cross rooms");
    await commitEvents(database, [{ eventNid: 4, redacts: 2 }]);
    t.same(await bundled(), []);
    t.same(await relations.threads(roomNid, end, 10), []);
  });

  t.test("relations: edits by their sender, the most recent first", async (t) => {
    await using database = await open();
    const positions = await commitEvents(database, [
      { eventNid: parent },
      child(2, "m.replace", { originServerTs: 50 }),
      child(3, "m.replace", { originServerTs: 60 }),
      child(4, "m.replace", { originServerTs: 60 }),
      child(5, "m.replace", { senderNid: 9 }),
      child(6, "m.replace", { typeNid: 9 }),
    ]);
    const query = { roomNid, targetId: target, senderNid: 1, typeNid: 1, upTo: end, limit: 10 };
    const { relations } = database.stores;
    t.same(await relations.replacements(query), [4, 3, 2]);
    t.same(await relations.replacements({ ...query, upTo: positions[2] ?? 0 }), [3, 2]);
    t.same(await relations.replacements({ ...query, limit: 1 }), [4]);
    t.same(await relations.replacements({ ...query, roomNid: roomNid + 1 }), []);
  });

  t.test("relations: threads by their newest reply, and who takes part", async (t) => {
    await using database = await open();
    const { relations } = database.stores;
    const other = eventIdOf(2);
    const positions = await commitEvents(database, [
      { eventNid: parent },
      { eventNid: 2 },
      child(3, "m.thread", { senderNid: 7 }),
      { ...child(4, "m.thread"), relation: { targetId: other, relation: "m.thread" } },
      child(5, "m.thread", { senderNid: 8 }),
      child(6, "m.thread", { senderNid: 7 }),
    ]);
    const [, , third, fourth, fifth, sixth] = positions;
    t.same(await relations.threads(roomNid, end, 10), [
      { rootId: target, latestPosition: sixth },
      { rootId: other, latestPosition: fourth },
    ]);
    t.same(await relations.threads(roomNid, sixth ?? 0, 10), [{ rootId: other, latestPosition: fourth }]);
    t.same(await relations.newestReplies(roomNid, target, end, 2), [6, 5]);
    t.same(await relations.newestReplies(roomNid, target, fifth ?? 0, 10), [5, 3]);
    t.same(await relations.newestReplies(roomNid + 1, target, end, 10), []);
    const senders = await relations.threadSenders(roomNid, target, end);
    t.same(
      senders.toSorted((a, b) => a.senderNid - b.senderNid),
      [
        { senderNid: 7, replies: 2, latestPosition: sixth },
        { senderNid: 8, replies: 1, latestPosition: fifth },
      ],
    );
    t.same(await relations.threadSenders(roomNid, target, third ?? 0), [
      { senderNid: 7, replies: 1, latestPosition: third },
    ]);
    await commitEvents(database, [{ eventNid: 7, redacts: 6 }]);
    t.same((await relations.threads(roomNid, end, 1))[0], { rootId: target, latestPosition: fifth });
  });

  t.test("relations: which events are related to, in what ways and by whom", async (t) => {
    await using database = await open();
    await commitEvents(database, [
      { eventNid: parent },
      child(2, "m.thread", { senderNid: 7 }),
      { ...child(3, "m.replace"), relation: { targetId: eventIdOf(2), relation: "m.replace" } },
    ]);
    const { relations } = database.stores;
    const ids = [target, eventIdOf(2), eventIdOf(3)];
    t.same(await relations.relatedTargets(roomNid, ids, null, null), [target, eventIdOf(2)]);
    t.same(await relations.relatedTargets(roomNid, ids, ["m.thread"], null), [target]);
    t.same(await relations.relatedTargets(roomNid, ids, null, [1]), [eventIdOf(2)]);
    t.same(await relations.relatedTargets(roomNid, ids, ["m.thread"], [1]), []);
  });

  t.test("relations: references, oldest first", async (t) => {
    await using database = await open();
    await commitEvents(database, [{ eventNid: parent }, child(2, "m.reference"), child(3, "m.reference")]);
    const { relations } = database.stores;
    t.same(await relations.references(roomNid, target, end, 10), [2, 3]);
    t.same(await relations.references(roomNid, target, end, 1), [2]);
  });

  t.test("relations: pages of children, and of theirs", async (t) => {
    await using database = await open();
    const { relations } = database.stores;
    const below = (eventNid: number, of: number): FixtureEvent => ({
      eventNid,
      typeNid: 2,
      relation: { targetId: eventIdOf(of), relation: "m.annotation" },
    });
    const positions = await commitEvents(database, [
      { eventNid: parent },
      child(2, "m.thread"),
      child(3, "m.thread"),
      below(4, 2),
      below(5, 4),
      below(6, 5),
    ]);
    const query: ChildQuery = {
      roomNid,
      targetId: target,
      relation: null,
      typeNid: null,
      maxDepth: 1,
      after: Number.MIN_SAFE_INTEGER,
      upTo: end,
      newestFirst: false,
      limit: 10,
    };
    t.same(await relations.children(query), [2, 3]);
    t.same(await relations.children({ ...query, newestFirst: true, limit: 1 }), [3]);
    t.same(await relations.children({ ...query, after: positions[1] ?? 0 }), [3]);
    t.same(await relations.children({ ...query, upTo: positions[1] ?? 0 }), [2]);
    const own = { ...query, relation: "m.thread" };
    t.same(await relations.children(own), [2, 3]);
    t.same(await relations.children({ ...own, newestFirst: true }), [3, 2]);
    t.same(await relations.children({ ...own, after: positions[1] ?? 0 }), [3]);
    t.same(await relations.children({ ...own, upTo: positions[1] ?? 0, limit: 1 }), [2]);
    t.same(await relations.children({ ...own, typeNid: 99 }), []);
    t.same(await relations.children({ ...own, relation: "m.annotation" }), []);
    t.same(await relations.children({ ...own, roomNid: roomNid + 1 }), []);
    t.same(await relations.children({ ...query, maxDepth: 3 }), [2, 3, 4, 5]);
    t.same(await relations.children({ ...query, maxDepth: 3, relation: "m.annotation" }), [4, 5]);
    t.same(await relations.children({ ...query, maxDepth: 3, typeNid: 1 }), [2, 3]);
    t.same(await relations.children({ ...query, roomNid: roomNid + 1 }), []);
  });
}
