import t from "tap";
import { RoomInterest } from "./room-interest.ts";

/** Of an application service whose users are those from 100 on. */
function interestIn(
  ...changes: readonly (readonly [position: number, userNid: number, isJoined: boolean])[]
) {
  return RoomInterest.of(
    changes.map(([position, userNid, isJoined]) => ({
      position,
      userNid,
      userId: `@${userNid}:a`,
      isJoined,
    })),
    ({ userNid }) => userNid >= 100,
  );
}

function covered(interest: RoomInterest, upTo: number): number[] {
  return Array.from({ length: upTo }, (_, index) => index + 1).filter((position) =>
    interest.coversAt(position),
  );
}

t.test(
  "what happens while one of its users is in the room, from the first join to the last leave",
  async (t) => {
    const interest = interestIn(
      [2, 1, true],
      [4, 100, true],
      [6, 101, true],
      [7, 100, false],
      [9, 101, false],
    );
    t.strictSame(covered(interest, 12), [4, 5, 6, 7, 8, 9]);
    t.notOk(interest.isNow);
    const back = interestIn([1, 1, true], [2, 100, true], [3, 100, false], [6, 100, true]);
    t.strictSame(covered(back, 8), [2, 3, 6, 7, 8]);
    t.ok(back.isNow);
  },
);

t.test("events that concern its users while none of them is in the room", async (t) => {
  const interest = interestIn([1, 1, true], [3, 100, false], [5, 2, true], [7, 100, false]);
  t.strictSame(covered(interest, 9), [3, 7]);
});

t.test("rooms that its users make, from the event that makes them", async (t) => {
  t.strictSame(covered(interestIn([2, 100, true], [3, 1, true]), 4), [1, 2, 3, 4]);
});

t.test("rooms of its namespaces, whoever is in them", async (t) => {
  t.strictSame(covered(RoomInterest.whole(), 3), [1, 2, 3]);
  t.ok(RoomInterest.whole().isNow);
  t.ok(RoomInterest.whole().absorb(100, false));
});

t.test("changes are taken in as long as they do not begin or end anything", async (t) => {
  const interest = interestIn([1, 1, true], [2, 100, true]);
  t.ok(interest.absorb(101, true));
  t.ok(interest.absorb(100, false), "another one is still there");
  t.ok(interest.absorb(102, false), "an invite that was refused");
  t.notOk(interest.absorb(101, false), "the last one leaves");
  t.ok(interest.isNow, "as long as it is not looked at anew");
  t.notOk(interestIn([1, 1, true]).absorb(100, true), "the first one comes");
  t.notOk(interestIn([1, 1, true]).absorb(100, false), "an invite");
});
