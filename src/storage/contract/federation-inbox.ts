import type { Test } from "tap";
import type { Database } from "../database.ts";
import type { InboxEvent } from "../federation-inbox.ts";

/** What each implementation of the store of received events has to do. */
export function federationInboxStoreContract(t: Test, open: () => Promise<Database>): void {
  const event = (roomNid: number, origin: string, eventId: string, pdu = "{}"): InboxEvent => ({
    roomNid,
    origin,
    eventId,
    pdu,
    receivedTs: 1,
  });

  t.test("federation inbox: what one server has sent of one room is kept in order", async (t) => {
    await using database = await open();
    const { federationInbox: inbox } = database.stores;
    const all = [event(2, "b", "$1"), event(1, "b", "$2"), event(2, "a", "$3"), event(2, "b", "$4")];
    t.same(await inbox.add(all, 10), []);
    t.same(await inbox.add([event(2, "b", "$1")], 10), [], "it waits already");
    t.same(await inbox.add([event(2, "a", "$1")], 10), [], "another server may have sent it as well");
    t.same(await inbox.lanes(), [
      { roomNid: 2, origin: "b" },
      { roomNid: 1, origin: "b" },
      { roomNid: 2, origin: "a" },
    ]);
    const ids = async (roomNid: number, origin: string, limit = 10, maxBytes = 1_000) =>
      (await inbox.next({ roomNid, origin }, 0, limit, maxBytes)).map(({ eventId }) => eventId);
    t.same(await ids(2, "b"), ["$1", "$4"]);
    t.same(await ids(2, "b", 1), ["$1"]);
    t.same(await ids(2, "a"), ["$3", "$1"]);
    const [first] = await inbox.next({ roomNid: 2, origin: "b" }, 0, 1, 1_000);
    await inbox.remove([first?.inboxNid ?? 0]);
    t.same(await ids(2, "b"), ["$4"]);
  });

  t.test("federation inbox: what waits and what is taken at once is bounded", async (t) => {
    await using database = await open();
    const { federationInbox: inbox } = database.stores;
    const flood = ["$1", "$2", "$3"].map((id) => event(1, "a", id, "x".repeat(100)));
    t.same(await inbox.add(flood, 2), ["$3"]);
    t.same(await inbox.add([event(1, "b", "$3"), event(2, "a", "$4")], 2), [], "others have their own bound");
    const lane = { roomNid: 1, origin: "a" };
    t.equal((await inbox.next(lane, 0, 10, 100)).length, 1);
    t.equal((await inbox.next(lane, 0, 10, 101)).length, 2);
    t.equal((await inbox.next(lane, 0, 10, 1)).length, 1, "a large one is taken by itself");
  });
}
