import t from "tap";
import { EventFilter, type FilteredEvent, Selection } from "./event-filter.ts";

const message: FilteredEvent = { type: "m.room.message", sender: "@alice:hearth.test" };

t.test("an empty filter lets everything pass", async (t) => {
  const filter = new EventFilter({});
  t.ok(filter.matchesAll);
  t.ok(filter.matches(message));
  t.ok(filter.matches({ type: "m.tag" }));
  t.ok(filter.matchesRoom("!room:hearth.test"));
  t.equal(filter.limit, undefined);
  t.notOk(filter.lazyLoadMembers || filter.includeRedundantMembers || filter.unreadThreadNotifications);
});

t.test("types: exact ones and wildcards, of which not_types are refused even so", async (t) => {
  const passes = (patterns: string[], type: string) => new EventFilter({ types: patterns }).matches({ type });
  t.ok(passes(["m.room.message"], "m.room.message"));
  t.notOk(passes(["m.room.message"], "m.room.messages"));
  t.notOk(passes(["m.room.message"], "M.room.message"), "letter case counts");
  t.ok(passes(["m.room.*"], "m.room.topic"));
  t.ok(passes(["m.room.*"], "m.room."));
  t.notOk(passes(["m.room.*"], "m.roomX"));
  t.ok(passes(["*"], "anything"));
  t.ok(passes(["*.call.*"], "m.call.invite"));
  t.ok(passes(["a*b*c"], "abc"));
  t.ok(passes(["a*b*c"], "axxbyyc"));
  t.notOk(passes(["a*bc*c"], "abc"), "parts do not overlap");
  t.notOk(passes(["ab*ba"], "aba"), "nor do the ends");
  t.notOk(passes(["m?room"], "m.room"), "a question mark is a question mark");
  t.notOk(passes([], "m.room.message"), "an empty list lets nothing pass");
  const filter = new EventFilter({ types: ["m.room.*"], not_types: ["m.room.member", "*.secret"] });
  t.ok(filter.matches({ type: "m.room.name" }));
  t.notOk(filter.matches({ type: "m.room.member" }));
  t.notOk(filter.matches({ type: "m.room.secret" }));
  t.notOk(filter.matchesAll);
  t.notOk(new EventFilter({ not_types: ["*"] }).matches(message));
});

t.test("senders and not_senders", async (t) => {
  const alice = "@alice:hearth.test";
  t.ok(new EventFilter({ senders: [alice] }).matches(message));
  t.notOk(new EventFilter({ senders: ["@bob:hearth.test"] }).matches(message));
  t.notOk(new EventFilter({ senders: [] }).matches(message));
  t.notOk(new EventFilter({ senders: [alice], not_senders: [alice] }).matches(message));
  t.ok(new EventFilter({ not_senders: ["@bob:hearth.test"] }).matches(message));
  t.notOk(new EventFilter({ senders: [alice] }).matches({ type: "m.tag" }), "nobody sent it");
  t.ok(new EventFilter({ not_senders: [alice] }).matches({ type: "m.tag" }));
});

t.test("rooms, urls and relations", async (t) => {
  const rooms = new EventFilter({ rooms: ["!a:x", "!b:x"], not_rooms: ["!b:x"] });
  t.strictSame(
    ["!a:x", "!b:x", "!c:x"].map((room) => rooms.matchesRoom(room)),
    [true, false, false],
  );
  t.ok(rooms.matchesAll, "of the rooms that are left");
  const withUrl = new EventFilter({ contains_url: true });
  const withoutUrl = new EventFilter({ contains_url: false });
  t.strictSame([withUrl.matches(message), withoutUrl.matches(message)], [false, true]);
  const picture = { ...message, containsUrl: true };
  t.strictSame([withUrl.matches(picture), withoutUrl.matches(picture)], [true, false]);
  const outOfThreads = new EventFilter({ "org.matrix.msc3874.not_rel_types": ["m.thread"] });
  t.ok(outOfThreads.matches(message));
  t.notOk(outOfThreads.matches({ ...message, relationType: "m.thread" }));
  const threads = new EventFilter({ "org.matrix.msc3874.rel_types": ["m.thread"] });
  t.notOk(threads.matches(message));
  t.ok(threads.matches({ ...message, relationType: "m.thread" }));
});

t.test("what the caller has to look after is handed on", async (t) => {
  const filter = new EventFilter({
    limit: 7,
    lazy_load_members: true,
    include_redundant_members: true,
    unread_thread_notifications: true,
    related_by_senders: ["@alice:hearth.test"],
    related_by_rel_types: ["m.thread"],
  });
  t.match(filter, {
    limit: 7,
    lazyLoadMembers: true,
    includeRedundantMembers: true,
    unreadThreadNotifications: true,
    relatedBySenders: ["@alice:hearth.test"],
    relatedByTypes: ["m.thread"],
  });
});

t.test("a selection without lists has all", async (t) => {
  t.ok(new Selection(undefined).all);
  t.notOk(new Selection([]).all);
  t.notOk(new Selection(undefined, ["a"]).all);
});

t.test("a pattern of many wildcards takes no time", async (t) => {
  const filter = new EventFilter({ types: [`${"a*".repeat(100)}b`] });
  t.notOk(filter.matches({ type: "a".repeat(100_000) }));
});
