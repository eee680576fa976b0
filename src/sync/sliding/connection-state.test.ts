import t from "tap";
import {
  type ConnectionState,
  decodeState,
  emptyState,
  encodeState,
  isSameState,
} from "./connection-state.ts";

const required = '[[["m.room.name",""]]]';
const state: ConnectionState = {
  rooms: new Map([
    [1, { upTo: null, limit: 20, required, covered: 7 }],
    [2, { upTo: 90, limit: 1, required: "[]", covered: 0 }],
    [3, { upTo: 91, limit: 1, required, covered: 1 }],
  ]),
  hasAccountData: true,
  hasThreadSubscriptions: true,
  profileFields: '["m.tz"]',
};

t.test("a state is what it was once it has been stored", (t) => {
  const text = encodeState(state);
  t.strictSame(decodeState(text), state);
  t.equal(text.split("m.room.name").length, 2, "rooms share their rules");
  t.strictSame(decodeState(encodeState(emptyState)), emptyState);
  t.end();
});

t.test("states are the same when every room is", (t) => {
  t.ok(isSameState(state, decodeState(encodeState(state))));
  t.notOk(isSameState(state, { ...state, hasAccountData: false }));
  t.notOk(isSameState(state, { ...state, hasThreadSubscriptions: false }));
  t.notOk(isSameState(state, { ...state, profileFields: "" }));
  t.notOk(isSameState(state, emptyState));
  for (const change of [{ upTo: 5 }, { limit: 2 }, { required: "[[]]" }, { covered: 3 }]) {
    const room = { upTo: 90, limit: 1, required: "[]", covered: 0, ...change };
    t.notOk(
      isSameState(state, { ...state, rooms: new Map([...state.rooms, [2, room]]) }),
      JSON.stringify(change),
    );
  }
  t.end();
});
