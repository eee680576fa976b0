import t from "tap";
import type { StoredEvent } from "../storage/events.ts";
import { systemClock } from "../telemetry/clock.ts";
import { Pace } from "../telemetry/pace.ts";
import type { EventPresenter } from "./event-presenter.ts";
import { stateWithoutMembers, StateTexts, type StateTextParts, wholeState } from "./state-texts.ts";

const [roomNid, snapshotNid, memberType] = [1, 2, 3];
const pace = new Pace(systemClock);

/** States in memory: `texts` may be changed, as a redaction does. */
function fakeParts(texts: Map<number, string>) {
  let reads = 0;
  const storedAll = async (nids: readonly number[]) => {
    reads += 1;
    const events = nids.map((eventNid) => ({
      eventNid,
      typeNid: eventNid === 11 ? memberType : 0,
      common: texts.get(eventNid) ?? "",
    }));
    await Promise.resolve();
    return events as StoredEvent[];
  };
  const parts = {
    events: { storedAll, storedOnce: storedAll },
    snapshots: { map: () => Promise.resolve(new Map([...texts.keys()].map((nid) => [nid, nid]))) },
    names: { findEventType: () => Promise.resolve(memberType) },
    presenter: {
      presentState: (events: readonly StoredEvent[], roomId?: string) =>
        Promise.resolve(events.map(({ common }) => `{${common}${roomId ?? ""}}`)),
    } as Pick<EventPresenter, "presentState">,
  };
  return { parts: parts as unknown as StateTextParts, reads: () => reads };
}

const redaction = [{ position: 1, stream: "timeline", nid: roomNid, redactedNid: 10 }] as const;

t.test("a state is made once for all who want it, by rendering", async (t) => {
  const { parts, reads } = fakeParts(
    new Map([
      [10, "a"],
      [11, "b"],
    ]),
  );
  const texts = new StateTexts(parts);
  const all = await Promise.all([1, 2, 3].map(() => texts.of(roomNid, snapshotNid, wholeState, pace)));
  t.same(
    all.map((text) => text.toString()),
    ["{a},{b}", "{a},{b}", "{a},{b}"],
  );
  t.equal(reads(), 1);
  t.equal((await texts.of(roomNid, snapshotNid, stateWithoutMembers, pace)).toString(), "{a}");
  t.equal((await texts.of(roomNid, snapshotNid, wholeState, pace, "!r")).toString(), "{a!r},{b!r}");
  t.equal(reads(), 3);
});

t.test("a large state is whole, however many steps it takes", async (t) => {
  const state = new Map(Array.from({ length: 2001 }, (_, index) => [index + 100, `${index}`]));
  const text = await new StateTexts(fakeParts(state).parts).of(roomNid, snapshotNid, wholeState, pace);
  t.equal(text.toString(), [...state.values()].map((value) => `{${value}}`).join(","));
});

t.test("a redaction in the room makes its states anew, also one that is being made", async (t) => {
  const state = new Map([[10, "secret"]]);
  const texts = new StateTexts(fakeParts(state).parts);
  await texts.of(roomNid, snapshotNid, wholeState, pace);
  state.set(10, "redacted");
  texts.committed(1, [{ ...redaction[0], nid: roomNid + 1 }]);
  t.equal((await texts.of(roomNid, snapshotNid, wholeState, pace)).toString(), "{secret}", "another room's");
  texts.committed(1, redaction);
  t.equal((await texts.of(roomNid, snapshotNid, wholeState, pace)).toString(), "{redacted}");

  const racing = new StateTexts(fakeParts(state).parts);
  state.set(10, "second secret");
  const making = racing.of(roomNid, snapshotNid, wholeState, pace);
  for (let turns = 0; turns < 3; turns++) await Promise.resolve();
  state.set(10, "redacted again");
  racing.committed(1, redaction);
  await making;
  t.equal((await racing.of(roomNid, snapshotNid, wholeState, pace)).toString(), "{redacted again}");
});
