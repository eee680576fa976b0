import t from "tap";
import type { UserId } from "../protocol/identifiers.ts";
import { LazyMembers } from "./lazy-members.ts";

const device = {
  userNid: 1,
  userId: "@alice:hearth.test" as UserId,
  deviceId: "D",
  tokenHash: new Uint8Array(),
};
const room = 7;
const members = (...entries: [number, number][]) => new Map([[room, new Map(entries)]]);

t.test("members count as got when the client comes back with the answer's token", async (t) => {
  const lazy = new LazyMembers();
  lazy.sent(device, 10, members([1, 100]));
  t.equal(lazy.of(device, room)?.get(1), undefined, "not before");
  lazy.acknowledge(device, 10);
  t.equal(lazy.of(device, room)?.get(1), 100);
  lazy.sent(device, 20, members([2, 200]));
  lazy.acknowledge(device, 20);
  t.same(
    [...(lazy.of(device, room) ?? [])],
    [
      [1, 100],
      [2, 200],
    ],
  );
});

t.test("an answer that was lost counts for nothing, whatever token comes later", async (t) => {
  const lazy = new LazyMembers();
  lazy.sent(device, 10, members([1, 100]));
  lazy.acknowledge(device, 5);
  lazy.sent(device, 30, members([2, 200]));
  lazy.acknowledge(device, 30);
  t.same([...(lazy.of(device, room) ?? [])], [[2, 200]]);
});

t.test("a first sync begins anew, and devices do not share", async (t) => {
  const lazy = new LazyMembers();
  lazy.sent(device, 10, members([1, 100]));
  lazy.acknowledge(device, 10);
  const other = { ...device, deviceId: "E" };
  t.equal(lazy.of(other, room), undefined);
  lazy.acknowledge(device, undefined);
  t.equal(lazy.of(device, room), undefined);
});
