import type { Test } from "tap";
import type { Membership } from "../memberships.ts";
import type { Database } from "../database.ts";
import { commitEvents, roomNid } from "./room-fixture.ts";

const userNid = 7;

/** Commits a member event. */
async function become(database: Database, eventNid: number, membership: Membership): Promise<void> {
  const memberships = [{ userNid, isLocal: true, membership, eventNid }];
  await commitEvents(database, [{ eventNid, senderNid: userNid }], { memberships });
}

/** What every back end does with memberships in rooms. */
export function membershipStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("memberships: only a room that was left can be forgotten", async (t) => {
    await using database = await open();
    const { memberships } = database.stores;
    t.equal(await memberships.forget(userNid, roomNid), false, "a room that the user never was in");
    for (const [index, membership] of (["join", "invite", "knock"] as const).entries()) {
      await become(database, 10 + index, membership);
      t.equal(await memberships.forget(userNid, roomNid), false, membership);
      t.equal((await memberships.of(roomNid, userNid))?.forgotten, false);
    }
    await become(database, 20, "leave");
    t.equal(await memberships.forget(userNid, roomNid), true);
    t.same(await memberships.roomsOf(userNid, ["leave"]), []);
  });

  t.test("memberships: a forgotten room stays so until the user is let in again", async (t) => {
    await using database = await open();
    const { memberships } = database.stores;
    const isForgotten = async () => (await memberships.of(roomNid, userNid))?.forgotten;
    await become(database, 1, "leave");
    await memberships.forget(userNid, roomNid);
    await become(database, 2, "ban");
    t.equal(await isForgotten(), true);
    await become(database, 3, "leave");
    t.equal(await isForgotten(), true);
    await become(database, 4, "invite");
    t.equal(await isForgotten(), false);
    await become(database, 5, "leave");
    t.equal(await isForgotten(), false, "what was forgotten before is another matter");
  });

  t.test("memberships: the rooms among some that a user is joined to, and since when", async (t) => {
    await using database = await open();
    const { memberships } = database.stores;
    await become(database, 1, "join");
    t.same(await memberships.joinedAmong(userNid, [roomNid + 1]), [], "not asked for");
    const [first] = await memberships.joinedAmong(userNid, [roomNid, roomNid + 1]);
    t.equal(first?.joinedAt, (await memberships.at(userNid, roomNid, Number.MAX_SAFE_INTEGER))?.position);
    await become(database, 2, "join");
    t.same(
      await memberships.joinedAmong(userNid, [roomNid]),
      [{ roomNid, eventNid: 2, joinedAt: first?.joinedAt }],
      "with a new profile the user is still there since then",
    );
    await become(database, 3, "leave");
    t.same(await memberships.joinedAmong(userNid, [roomNid]), []);
  });

  t.test("memberships: whether anybody of a server is joined to a room", async (t) => {
    await using database = await open();
    const { memberships, names } = database.stores;
    const remoteNid = await names.internUser("@a:remote.test:8448", false);
    const join = { userNid: remoteNid, isLocal: false, membership: "join", eventNid: 1 } as const;
    await commitEvents(database, [{ eventNid: 1 }], { memberships: [join] });
    t.equal(await memberships.hasJoinedFrom(roomNid, "remote.test:8448"), true);
    for (const other of ["remote.test", "test:8448", "8448", "other.test"]) {
      t.equal(await memberships.hasJoinedFrom(roomNid, other), false, other);
    }
    t.equal(await memberships.hasJoinedFrom(roomNid + 1, "remote.test:8448"), false);
    const leave = { ...join, membership: "leave", eventNid: 2 } as const;
    await commitEvents(database, [{ eventNid: 2 }], { memberships: [leave] });
    t.equal(await memberships.hasJoinedFrom(roomNid, "remote.test:8448"), false);
  });
}
