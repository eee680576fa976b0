import t from "tap";
import { LiveMemberships } from "./live-memberships.ts";

const [alice, bob] = [1, 2];
const [hall, cellar, attic] = [10, 20, 30];

t.test("rooms are read once and follow every change from then on", async (t) => {
  let reads = 0;
  const memberships = new LiveMemberships((userNid) => {
    reads += 1;
    return Promise.resolve(userNid === alice ? [hall, cellar] : [hall]);
  });
  const [first, second] = await Promise.all([memberships.load(alice), memberships.load(alice)]);
  t.equal(first, second);
  t.equal(await memberships.load(alice), first);
  t.equal(reads, 1);
  await memberships.load(bob);
  t.same([...memberships.liveMembersOf(hall)], [alice, bob]);
  memberships.apply(alice, { roomNid: hall, joined: false });
  memberships.apply(alice, { roomNid: attic, joined: true });
  memberships.apply(3, { roomNid: attic, joined: true });
  t.same([...(await memberships.load(alice))], [cellar, attic]);
  t.same([...first], [hall, cellar], "who has read keeps what was so then");
  t.same([...memberships.liveMembersOf(hall)], [bob]);
  t.same([...memberships.liveMembersOf(attic)], [alice], "nobody knows the others of whom nobody asked");
  memberships.apply(bob, { roomNid: hall, joined: false });
  t.equal(memberships.liveMembersOf(hall).size, 0);
});

t.test("what is committed while rooms are being read counts, whether it was read or not", async (t) => {
  const { promise, resolve } = Promise.withResolvers<readonly number[]>();
  const memberships = new LiveMemberships(() => promise);
  const loading = memberships.load(alice);
  memberships.apply(alice, { roomNid: hall, joined: false });
  memberships.apply(alice, { roomNid: attic, joined: true });
  resolve([hall, cellar]);
  t.same([...(await loading)], [cellar, attic]);
  t.equal(memberships.liveMembersOf(hall).size, 0);
});

t.test("a failed reading is tried again by the next who asks", async (t) => {
  const reads = [Promise.reject(new Error("busy")), Promise.resolve([hall])];
  const memberships = new LiveMemberships(() => reads.shift() ?? Promise.resolve([]));
  await t.rejects(memberships.load(alice), { message: "busy" });
  t.same([...(await memberships.load(alice))], [hall]);
});

t.test("those asked for least recently go, but for those who are held", async (t) => {
  const memberships = new LiveMemberships(() => Promise.resolve([hall]), 3);
  const known = () => [1, 2, 3, 4, 5, 6].filter((userNid) => memberships.roomsOf(userNid));
  for (const userNid of [1, 2, 3]) await memberships.load(userNid);
  memberships.hold(1);
  await memberships.load(4);
  t.same(known(), [1, 3, 4]);
  for (const userNid of [3, 4]) memberships.hold(userNid);
  await memberships.load(5);
  t.same(known(), [1, 3, 4, 5], "the bound gives way to those who wait");
  t.same([...memberships.liveMembersOf(hall)].length, 4);
  for (const userNid of [3, 4]) memberships.release(userNid);
  await memberships.load(6);
  t.same(known(), [1, 5, 6], "and holds again when they have gone");
});
