import t from "tap";
import type { RoomId } from "../protocol/identifiers.ts";
import { roomVersion } from "../protocol/room-versions.ts";
import type { Room } from "../state/room-index.ts";
import { HeadDraft } from "./room-head.ts";
import { RoomHeads } from "./room-heads.ts";

const version = roomVersion("12") as Room["version"];

/** Heads over rooms, and how often each was read from storage. */
function headsWith(maxHeads: number) {
  const reads = new Map<number, number>();
  const store = {
    byNid: (roomNid: number) => {
      reads.set(roomNid, (reads.get(roomNid) ?? 0) + 1);
      const roomId = `!${roomNid}`;
      return Promise.resolve({
        roomNid,
        roomId,
        version: "12",
        currentSnapshot: 1,
        lastPosition: 1,
        isPublic: false,
      });
    },
    extremities: () => Promise.resolve([]),
  };
  const heads = new RoomHeads(store, { get: (_, pairNid) => Promise.resolve(pairNid) }, maxHeads);
  const load = (roomNid: number) => heads.load({ roomNid, roomId: `!${roomNid}` as RoomId, version });
  return { heads, load, reads };
}

t.test("heads that were used least recently make room for others", async (t) => {
  const { load, reads } = headsWith(2);
  for (const roomNid of [1, 2, 1, 3, 1, 2]) await load(roomNid);
  t.same(
    [...reads],
    [
      [1, 1],
      [2, 2],
      [3, 1],
    ],
  );
});

t.test("a head makes others go, but none that is under way", async (t) => {
  const { heads, load, reads } = headsWith(2);
  const busy = await load(1);
  t.ok(heads.advance(busy, new HeadDraft(busy)), "a message changes no state");
  await load(2);
  const newest = await load(3);
  t.same(
    [busy, newest].map((head) => heads.keeps(head)),
    [true, true],
  );
  await load(2);
  t.equal(reads.get(2), 2);
  heads.committed(1, true);
  await load(4);
  t.equal(heads.keeps(busy), false, "it may go once it is stored");
});

t.test("what follows a lost commit is read from storage when all that built on it has ended", async (t) => {
  const { heads, load, reads } = headsWith(10);
  const head = await load(1);
  heads.advance(head, new HeadDraft(head));
  heads.advance(head, new HeadDraft(head));
  heads.committed(1, false);
  t.equal(heads.keeps(head), false);
  t.equal(heads.advance(head, new HeadDraft(head)), false);
  const next = load(1);
  t.equal(reads.get(1), 1);
  heads.committed(1, false);
  t.not(await next, head);
  t.equal(reads.get(1), 2);
});
