import { rm, writeFile } from "node:fs/promises";
import { join as joinPath } from "node:path";
import t from "tap";
import { anonymous, registerGuest, registerUser } from "../support/client.ts";
import { createRoom, read, redact, say, send, setState, type TestEvent } from "../support/rooms.ts";
import { postSearch, search, searchAll } from "../support/search.ts";
import { startServer } from "../support/server.ts";

t.setTimeout(120_000);
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");

const recent = { order_by: "recent" };

t.test("search: words, their beginnings, phrases, and words that are not wanted", async (t) => {
  const roomId = await createRoom(alice, {});
  const meeting = await say(alice, roomId, "The meeting about next year's budget");
  const meet = await say(alice, roomId, "Let us meet, by all means");
  const budget = await say(alice, roomId, "budget: nothing new");
  const filter = { rooms: [roomId] };
  const found = (term: string) => searchAll(alice, term, { ...recent, filter });
  t.same(await found("meeting"), [meeting]);
  t.same(await found("MEET"), [meet, meeting], "case does not count, and beginnings are found");
  t.same(await found("budget new"), [budget], "all words have to be there");
  t.same(await found("budget -meeting"), [budget]);
  t.same(await found('"the meeting"'), [meeting]);
  t.same(await found('"meeting the"'), [], "phrases have an order");
  t.same(await found('"the meet"'), [], "and end where they end");
  t.same(await found("e"), [], "a single letter is a word, not a beginning");
  for (const nothing of ["", "  ", "-budget", '"', "!?", "\0", "(budget OR", "zzz*"]) {
    t.ok(Array.isArray(await found(nothing)), JSON.stringify(nothing));
  }
});

t.test("search: diacritics and scripts without spaces", async (t) => {
  const roomId = await createRoom(alice, {});
  const filter = { rooms: [roomId] };
  const found = (term: string) => searchAll(alice, term, { ...recent, filter });
  const texts = {
    french: "Déjà vu à l'école",
    german: "Große Straße",
    turkish: "İstanbul'da",
    greek: "Καλημέρα κόσμε",
    chinese: "我们明天在北京开会",
    japanese: "東京都庁に行きました。データ",
    korean: "학교에서 만나요",
    thai: "สวัสดีครับ",
    wide: "ＡＢＣ１２３",
  };
  const ids = new Map<string, string>();
  for (const [name, text] of Object.entries(texts)) ids.set(name, await say(alice, roomId, text));
  const cases: [term: string, name: keyof typeof texts][] = [
    ["deja", "french"],
    ["DÉJÀ", "french"],
    ["ecole", "french"],
    ["grosse strasse", "german"],
    ["istanbul", "turkish"],
    ["καλημερα", "greek"],
    ["北京", "chinese"],
    ["会", "chinese"],
    ["我", "chinese"],
    ["明天在北京", "chinese"],
    ["都庁", "japanese"],
    ["に", "japanese"],
    ["データ", "japanese"],
    ["ﾃﾞｰﾀ", "japanese"],
    ["학교", "korean"],
    ["만", "korean"],
    ["สวัสดี", "thai"],
    ["abc123", "wide"],
  ];
  for (const [term, name] of cases) t.same(await found(term), [ids.get(name)], term);
  t.same(await found("京北"), [], "characters have an order, too");
  t.same((await search(alice, "ecole", { filter })).highlights, ["école"]);
  t.same((await search(alice, "北京", { filter })).highlights, ["北京"]);
});

t.test("search: the best first or the newest, page by page", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  const ids: string[] = [];
  for (let number = 0; number < 12; number++) {
    const words = number === 5 ? "lunch lunch lunch" : `${"some other words ".repeat(number % 4)}lunch`;
    ids.push(await say(number % 2 ? alice : bob, roomId, words));
  }
  const filter = { rooms: [roomId], limit: 5 };
  t.same(await searchAll(alice, "lunch", { ...recent, filter }), ids.toReversed());
  const first = await search(alice, "lunch", { filter });
  t.equal(first.results.length, 5);
  t.equal(first.count, 12);
  t.equal(first.results[0]?.result.event_id, ids[5], "which says nothing else");
  const ranked = await searchAll(alice, "lunch", { filter });
  t.same(ranked.toSorted(), ids.toSorted(), "each once");
  const all = await search(alice, "lunch", { filter: { rooms: [roomId], limit: 100 } });
  const ranks = all.results.map(({ rank }) => rank);
  t.same(
    ranks,
    ranks.toSorted((a, b) => b - a),
  );
  t.same(
    ranked,
    all.results.map(({ result }) => result.event_id),
    "pages are cut out of the same order",
  );
  await say(alice, roomId, "lunch again");
  const second = await search(alice, "lunch", { filter }, first.next_batch);
  t.same(
    second.results.map(({ result }) => result.event_id),
    ranked.slice(5, 10),
    "what comes meanwhile does not move the pages",
  );
});

t.test("search: a full page has a next batch, even if that is empty", async (t) => {
  const roomId = await createRoom(alice);
  for (const order_by of ["recent", "rank"]) {
    for (let index = 0; index < 2; index++) await say(alice, roomId, `supper ${order_by}`);
    const wish = { filter: { rooms: [roomId], limit: 2 }, order_by };
    const first = await search(alice, `supper ${order_by}`, wish);
    t.equal(first.results.length, 2);
    t.type(first.next_batch, "string");
    const last = await search(alice, `supper ${order_by}`, wish, first.next_batch);
    t.strictSame([last.results, last.count, last.next_batch], [[], 2, undefined]);
  }
});

t.test("search: groups, each with a next batch of its own", async (t) => {
  const rooms = [await createRoom(alice, {}, bob), await createRoom(alice, {}, bob)];
  const ids = new Map<string, string[]>();
  for (let number = 0; number < 9; number++) {
    const roomId = rooms[number % 2] ?? "";
    const id = await say(number % 3 ? alice : bob, roomId, `holiday ${number}`);
    ids.set(roomId, [id, ...(ids.get(roomId) ?? [])]);
  }
  for (const order of ["recent", "rank"]) {
    const wish = {
      order_by: order,
      filter: { rooms, limit: 4 },
      groupings: { group_by: [{ key: "room_id" }, { key: "sender" }] },
    };
    const answer = await search(alice, "holiday", wish);
    t.same(Object.keys(answer.groups ?? {}).toSorted(), ["room_id", "sender"]);
    t.same(Object.keys(answer.groups?.["sender"] ?? {}).toSorted(), [alice.userId, bob.userId]);
    for (const roomId of rooms) {
      const group = answer.groups?.["room_id"]?.[roomId];
      const found = [...(group?.results ?? [])];
      for (let next = group?.next_batch; next !== undefined; ) {
        const more = await search(alice, "holiday", wish, next);
        t.ok(more.results.every(({ result }) => result.room_id === roomId));
        found.push(...more.results.map(({ result }) => result.event_id));
        next = more.next_batch;
      }
      t.same(found.toSorted(), ids.get(roomId)?.toSorted(), `${order}: each once`);
    }
    const bobs = await search(alice, "holiday", wish, answer.groups?.["sender"]?.[bob.userId]?.next_batch);
    t.ok(bobs.results.every(({ result }) => result.sender === bob.userId));
  }
});

t.test("search: what lies around results, and the state of their rooms", async (t) => {
  const roomId = await createRoom(alice, { name: "Around" }, bob);
  const ids: string[] = [];
  for (const text of ["one", "two", "needle", "four", "five"]) ids.push(await say(bob, roomId, text));
  const id = (event: TestEvent) => event.event_id;
  const wish = { filter: { rooms: [roomId] }, include_state: true };
  const context = { before_limit: 1, after_limit: 5, include_profile: true };
  const answer = await search(alice, "needle", { ...wish, event_context: context });
  const around = answer.results[0]?.context;
  t.same(around?.events_before.map(id), [ids[1]]);
  t.same(around?.events_after.map(id), [ids[3], ids[4]]);
  t.same(around?.profile_info, { [bob.userId]: { displayname: "bob" } });
  t.ok(
    answer.state?.[roomId]?.some(
      ({ type, content }) => type === "m.room.name" && content["name"] === "Around",
    ),
  );
  const before = await read(alice, "getRoomEvents", roomId, "messages", { dir: "b", from: around?.start });
  t.same((before.body["chunk"] as TestEvent[]).map(id)[0], ids[0], "tokens lead on");
  t.notOk((await search(alice, "needle", wish)).results[0]?.context, "only when asked for");
});

t.test("search: filters and keys", async (t) => {
  const roomId = await createRoom(alice, { name: "Gardening", topic: "All about gardening" }, bob);
  const other = await createRoom(alice, {}, bob);
  const ofAlice = await say(alice, roomId, "gardening is fun");
  const ofBob = await say(bob, roomId, "gardening is work");
  const elsewhere = await say(bob, other, "gardening elsewhere");
  const picture = { msgtype: "m.image", body: "gardening.png", url: "mxc://hearth.test/picture" };
  const image = await send(bob, roomId, "m.room.message", picture);
  const found = (filter: object, more: object = {}) =>
    searchAll(alice, "gardening", { ...recent, filter: { rooms: [roomId, other], ...filter }, ...more });
  const body = { keys: ["content.body"] };
  t.same(await found({}, body), [image, elsewhere, ofBob, ofAlice]);
  t.same(await found({ not_rooms: [roomId] }), [elsewhere]);
  t.same(await found({ senders: [alice.userId] }, body), [ofAlice]);
  t.same(await found({ senders: ["@nobody:hearth.test"] }), []);
  t.same(await found({ not_senders: [bob.userId] }, body), [ofAlice]);
  t.same(await found({ contains_url: true }), [image]);
  t.same(await found({ contains_url: false }, body), [elsewhere, ofBob, ofAlice]);
  t.equal((await found({ types: ["m.room.name"] })).length, 1);
  t.equal((await found({ types: ["m.room.topic"] })).length, 1);
  t.same(await found({ not_types: ["m.room.*"] }), []);
  t.equal((await found({}, { keys: ["content.name"] })).length, 1);
  t.equal((await found({}, { keys: ["content.name", "content.topic"] })).length, 2);
  t.equal((await found({})).length, 6, "all keys without any");
  const topic = {
    topic: "",
    "m.topic": { "m.text": [{ body: "Composting" }, { mimetype: "text/html", body: "weeding" }] },
  };
  await setState(alice, roomId, "m.room.topic", topic);
  t.equal((await searchAll(alice, "composting", { filter: { rooms: [roomId] } })).length, 1);
  t.same(await searchAll(alice, "weeding", { filter: { rooms: [roomId] } }), []);
});

t.test("search: a room that was upgraded is searched with what it was before", async (t) => {
  const old = await createRoom(alice, { room_version: "10" }, bob);
  const before = await say(alice, old, "kingfisher before");
  const upgrade = `/_matrix/client/v3/rooms/${encodeURIComponent(old)}/upgrade`;
  const { body } = await alice.post(upgrade, { new_version: "11" });
  const roomId = String(body["replacement_room"]);
  const after = await say(alice, roomId, "kingfisher after");
  const found = (filter: object) => searchAll(alice, "kingfisher", { ...recent, filter });
  t.same(await found({ rooms: [roomId] }), [after, before]);
  t.same(await found({ rooms: [old] }), [before]);
  t.same(await found({ rooms: [roomId], not_rooms: [old] }), [after]);
  t.same(await searchAll(bob, "kingfisher"), [before], "who has not followed sees what was before");
});

t.test("search: redactions, edits, and rooms that become encrypted", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  const filter = { rooms: [roomId] };
  const found = (term: string) => searchAll(alice, term, { ...recent, filter });
  const edit = (target: string, body: string, sender = alice) =>
    send(sender, roomId, "m.room.message", {
      msgtype: "m.text",
      body: `* ${body}`,
      "m.new_content": { msgtype: "m.text", body },
      "m.relates_to": { rel_type: "m.replace", event_id: target },
    });
  const secret = await say(alice, roomId, "a secret");
  const draft = await say(alice, roomId, "a draft");
  t.same(await found("secret"), [secret]);
  await redact(alice, roomId, secret);
  t.same(await found("secret"), []);
  const firstEdit = await edit(draft, "a version");
  t.same(await found("version"), [draft], "an edit is found as what it replaces");
  t.same(await found("draft"), [], "which no longer says what it said");
  const secondEdit = await edit(draft, "a final");
  t.same(await found("final"), [draft]);
  await redact(alice, roomId, secondEdit);
  t.same([await found("final"), await found("version")], [[], [draft]]);
  await redact(alice, roomId, firstEdit);
  t.same([await found("version"), await found("draft")], [[], [draft]]);
  await edit(draft, "forged", bob);
  t.same(await found("forged"), [], "nobody edits what others have said");
  await setState(alice, roomId, "m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" });
  t.same(await found("draft"), [], "encrypted rooms give nothing");
});

t.test(
  "search: what has been indexed survives a restart, and an index that is lost is made again",
  async (t) => {
    const roomId = await createRoom(alice, {}, bob);
    const kept = await say(alice, roomId, "persistent words");
    t.same(await searchAll(alice, "persistent"), [kept]);
    await server.restart();
    const later = await say(alice, roomId, "persistent, too");
    t.same(await searchAll(alice, "persistent", recent), [later, kept]);
    await server.restart(async () => {
      for (const suffix of ["", "-wal", "-shm"]) {
        await rm(joinPath(server.folder, `search.db${suffix}`), { force: true });
      }
    });
    t.same(await searchAll(alice, "persistent", recent), [later, kept]);
  },
);

t.test("search: an index that is damaged is made again", async (t) => {
  const kept = await say(alice, await createRoom(alice, {}), "durable");
  t.same(await searchAll(alice, "durable"), [kept]);
  await server.restart(async () =>
    writeFile(joinPath(server.folder, "search.db"), "no database ".repeat(1_000)),
  );
  t.same(await searchAll(alice, "durable"), [kept]);
});

t.test("search: where it is switched off there is none", async (t) => {
  await using closed = await startServer({ search: { enabled: false } });
  const user = await registerUser(closed);
  const answer = await postSearch(user, { search_categories: {} });
  t.match(answer, { status: 404, body: { errcode: "M_UNRECOGNIZED" } });
});

t.test("search: bad requests", async (t) => {
  const bodies: unknown[] = [
    {},
    { search_categories: [] },
    { search_categories: { room_events: {} } },
    { search_categories: { room_events: { search_term: 5 } } },
    { search_categories: { room_events: { search_term: "a", keys: ["content.password"] } } },
    { search_categories: { room_events: { search_term: "a", order_by: "oldest" } } },
    { search_categories: { room_events: { search_term: "a", filter: { rooms: ["not a room"] } } } },
    { search_categories: { room_events: { search_term: "a", groupings: { group_by: [{ key: "type" }] } } } },
    { search_categories: { room_events: { search_term: "a", event_context: { before_limit: -1 } } } },
    { search_categories: { room_events: { search_term: "a".repeat(5_000) } } },
  ];
  for (const body of bodies)
    t.equal((await postSearch(alice, body)).status, 400, JSON.stringify(body).slice(0, 80));
  const body = { search_categories: { room_events: { search_term: "lunch" } } };
  const ranked = (await search(alice, "lunch", { filter: { limit: 1 } })).next_batch ?? "";
  t.not(ranked, "");
  for (const token of ["s5", "", "bm90IGpzb24", Buffer.from('{"order":"rank"}').toString("base64url")]) {
    const answer = await postSearch(alice, body, token);
    t.match(answer, { status: 400, body: { errcode: "M_INVALID_PARAM" } }, token);
  }
  const otherOrder = { search_categories: { room_events: { search_term: "lunch", order_by: "recent" } } };
  t.equal((await postSearch(alice, otherOrder, ranked)).status, 400);
  t.same((await postSearch(alice, { search_categories: {} })).body, { search_categories: {} });
  t.equal((await postSearch(anonymous(server), body)).status, 401);
  t.match((await postSearch(await registerGuest(server), body)).body, {
    errcode: "M_GUEST_ACCESS_FORBIDDEN",
  });
});
