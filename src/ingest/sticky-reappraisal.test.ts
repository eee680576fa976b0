import t from "tap";
import type { RoomId, UserId } from "../protocol/identifiers.ts";
import { rulesOfVersion } from "../protocol/testing/room-version.ts";
import { NameCache } from "../storage/name-cache.ts";
import { createLogTo } from "../telemetry/log.ts";
import { systemClock } from "../telemetry/clock.ts";
import { Authorisation } from "./authorisation.ts";
import type { LocalEvent } from "./local-event.ts";
import { StickyReappraisal } from "./sticky-reappraisal.ts";
import { GraphServer } from "./testing/graph-server.ts";

const member = (sender: UserId, stateKey: UserId, membership: string): LocalEvent => ({
  type: "m.room.member",
  stateKey,
  sender,
  content: { membership },
});

function reappraisalOn({ graph, database: { stores } }: GraphServer): StickyReappraisal {
  return new StickyReappraisal({
    store: stores.stickyEvents,
    roomStore: stores.rooms,
    rooms: graph.rooms,
    events: graph.events,
    snapshots: graph.snapshots,
    authorisation: new Authorisation(graph.events, new NameCache(stores.names, () => true)),
    clock: systemClock,
    log: createLogTo(process.stderr, "warn"),
  });
}

t.test("a sticky event that came too late is told once its sender is in the room again", async (t) => {
  await using one = await GraphServer.open(t, "one.test");
  await using two = await GraphServer.open(t, "two.test");
  const version = rulesOfVersion("11");
  const state = (type: string, content: LocalEvent["content"]): LocalEvent => ({
    type,
    stateKey: type === "m.room.member" ? one.user : "",
    sender: one.user,
    content,
  });
  const room = await one.graph.writer.create(version, "!room:one.test" as RoomId, [
    state("m.room.create", { room_version: "11" }),
    state("m.room.member", { membership: "join" }),
    state("m.room.power_levels", { users: { [one.user]: 100 } }),
    state("m.room.join_rules", { join_rule: "public" }),
  ]);
  const joined = await two.join(room, one);
  const { stickyEvents } = one.database.stores;
  const userNid = (await one.database.stores.events.byId((await kick()).eventId))?.senderNid ?? 0;
  const sticky = await two.graph.writer.sendOne(joined, {
    type: "m.rtc.member",
    sender: two.user,
    content: {},
    stickyDurationMs: 3_600_000,
  });
  const receipts = await one.receive(room, [await two.sent(version, sticky.eventId)]);
  t.equal(receipts.get(sticky.eventId as never)?.verdict, "soft-failed");
  const stored = await one.database.stores.events.byId(sticky.eventId);
  const sender = stored?.senderNid ?? 0;
  const now = Date.now();
  t.same(await stickyEvents.hidden(room.roomNid, [sender], now), [stored?.eventNid]);

  const change = { position: 1, stream: "membership" as const, nid: sender };
  const told = { ...change, membership: { roomNid: room.roomNid, joined: true } };
  const reappraisal = reappraisalOn(one);
  reappraisal.committed(1, [told, { ...told, nid: userNid }]);
  await reappraisal[Symbol.asyncDispose]();
  t.same(await stickyEvents.hidden(room.roomNid, [sender], now), [stored?.eventNid], "still not in the room");

  await one.graph.writer.sendOne(room, member(one.user, two.user, "invite"));
  await two.join(room, one);
  reappraisal.committed(2, [told]);
  await reappraisal[Symbol.asyncDispose]();
  t.same(await stickyEvents.hidden(room.roomNid, [sender], now), []);
  const places = await stickyEvents.inRooms([room.roomNid], 0, Number.MAX_SAFE_INTEGER, now, 9);
  t.same(
    places.map(({ eventNid }) => eventNid),
    [stored?.eventNid],
  );

  function kick() {
    return one.graph.writer.sendOne(room, member(one.user, two.user, "leave"));
  }
});
