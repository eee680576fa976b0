import t from "tap";
import { MatrixError } from "../protocol/matrix-error.ts";
import { everyEvent, everything, parseRoomEventFilter, parseSyncFilter } from "./filter.ts";

t.test("a filter for sync has a part for everything that sync sends", async (t) => {
  const filter = parseSyncFilter(
    JSON.stringify({
      event_fields: ["type", "content.body"],
      event_format: "federation",
      presence: { types: [] },
      account_data: { not_types: ["m.direct"] },
      room: {
        not_rooms: ["!b:x"],
        include_leave: true,
        timeline: { limit: 5 },
        state: { lazy_load_members: true },
        ephemeral: { types: ["m.receipt"] },
        account_data: { types: ["m.tag"] },
      },
    }),
  );
  t.strictSame(filter.eventFields?.select({ type: "a", content: { body: "b", other: 1 }, sender: "c" }), {
    type: "a",
    content: { body: "b" },
  });
  t.equal(filter.eventFormat, "federation");
  t.notOk(filter.presence.matches({ type: "m.presence" }));
  t.notOk(filter.accountData.matches({ type: "m.direct" }));
  t.ok(filter.accountData.matches({ type: "m.tag" }));
  t.notOk(filter.rooms.has("!b:x"));
  t.ok(filter.rooms.has("!a:x"));
  t.ok(filter.includeLeave);
  t.equal(filter.timeline.limit, 5);
  t.ok(filter.state.lazyLoadMembers);
  t.ok(filter.ephemeral.matches({ type: "m.receipt" }));
  t.notOk(filter.ephemeral.matches({ type: "m.typing" }));
  t.notOk(filter.roomAccountData.matches({ type: "m.fully_read" }));
});

t.test("without a filter there is everything in the format for clients", async (t) => {
  for (const filter of [everything, parseSyncFilter("{}"), parseSyncFilter('{"room":{}}')]) {
    t.equal(filter.eventFields, undefined);
    t.equal(filter.eventFormat, "client");
    t.notOk(filter.includeLeave);
    t.ok(filter.rooms.all);
    const { timeline, state, ephemeral, roomAccountData, presence, accountData } = filter;
    for (const part of [timeline, state, ephemeral, roomAccountData, presence, accountData]) {
      t.equal(part, everyEvent);
    }
  }
});

t.test("what is no filter is refused with the place of the fault", async (t) => {
  const refusal = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      if (error instanceof MatrixError) return `${error.errcode} ${error.message}`;
      throw error;
    }
    return "none";
  };
  t.match(
    refusal(() => parseSyncFilter("{")),
    /^M_NOT_JSON The filter is not JSON/,
  );
  t.match(
    refusal(() => parseSyncFilter("[]")),
    /^M_BAD_JSON The filter's root must be object/,
  );
  const wrongLimit = refusal(() => parseSyncFilter('{"room":{"timeline":{"limit":"1"}}}'));
  t.match(wrongLimit, /^M_BAD_JSON The filter's \/room\/timeline\/limit must be integer/);
  t.match(
    refusal(() => parseRoomEventFilter("nothing")),
    /^M_NOT_JSON/,
  );
  t.match(
    refusal(() => parseRoomEventFilter('{"types":"m.*"}')),
    /^M_BAD_JSON The filter's \/types/,
  );
  t.match(
    refusal(() => parseRoomEventFilter('{"senders":["alice"]}')),
    /^M_BAD_JSON/,
  );
});

t.test("a filter for a room's events", async (t) => {
  const filter = parseRoomEventFilter('{"types":["m.room.*"],"limit":0,"unknown":{}}');
  t.equal(filter.limit, 0);
  t.ok(filter.matches({ type: "m.room.name" }));
  t.notOk(filter.matches({ type: "m.sticker" }));
});
