import t from "tap";
import { HeadState } from "./head-state.ts";

/** Two snapshots of a state in which a pair's event is the pair's number, with 100 more in the second; no pair is below 10. */
function scene() {
  const asked: number[] = [];
  const get = (snapshotNid: number, pairNid: number) => {
    asked.push(pairNid);
    return Promise.resolve(pairNid < 10 ? undefined : pairNid + (snapshotNid - 1) * 100);
  };
  return { asked, state: new HeadState({ get }, 1) };
}

t.test("what has been read is known, also that a pair has no event", async (t) => {
  const { asked, state } = scene();
  t.equal(await state.get(20), 20);
  t.equal(await state.get(5), undefined);
  t.equal(state.get(20), 20, "at once");
  t.equal(state.get(5), undefined);
  t.same(asked, [20, 5]);
});

t.test("a head that has moved has its changes, and reads the rest from where it is", async (t) => {
  const { asked, state } = scene();
  const late = state.get(20);
  state.move(
    2,
    new Map([
      [20, 120],
      [21, undefined],
    ]),
  );
  t.equal(await late, 20, "asked for before");
  t.equal(state.get(20), 120, "which changes nothing of what is true now");
  t.equal(state.get(21), undefined);
  t.equal(await state.get(30), 130);
  t.same(asked, [20, 30]);
});

t.test("no more is kept than so much, and an empty state is not read at all", async (t) => {
  const { asked, state } = scene();
  for (let pair = 10; pair < 200; pair++) await state.get(pair);
  const before = asked.length;
  for (let pair = 199; pair >= 10; pair--) t.equal(await state.get(pair), pair);
  t.ok(asked.length > before + 60, "not everything was kept");
  t.ok(asked.length < before + 190, "though a part of it was");
  const empty = new HeadState({ get: () => Promise.reject(new Error("there is nothing to read")) }, null);
  t.equal(empty.get(10), undefined);
});
