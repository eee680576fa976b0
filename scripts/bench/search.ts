// Measures the search for messages: `npm run bench:search [-- messages] [--keep FOLDER] [--fill]`. A server of its own gets
// rooms over HTTP and very many messages straight into its database, indexes them, and is then searched over HTTP. What is
// in a folder that is kept is found there again; `--fill` does nothing but that.
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import BetterSqlite3 from "better-sqlite3";
import { login, registerUser, type TestClient } from "../../spec-tests/support/client.ts";
import { createRoom, join as joinRoom, say } from "../../spec-tests/support/rooms.ts";
import { search } from "../../spec-tests/support/search.ts";
import { startServer } from "../../spec-tests/support/server.ts";
import { addMessages, type SeededRoom, words } from "./message-corpus.ts";
import { report } from "./report.ts";

const { values: options, positionals } = parseArgs({
  options: { keep: { type: "string" }, fill: { type: "boolean", default: false } },
  allowPositionals: true,
});
const messages = Number(positionals[0] ?? 1_000_000);
const rooms = 1_000;
/** The one who searches is in this many rooms, in all of them, or in a single one. */
const members = { few: 20, all: rooms, one: 1 };
const repeats = 20;

async function main(): Promise<void> {
  const folder = options.keep ?? mkdtempSync(join(tmpdir(), "hearth-search-"));
  const filledFile = `${folder}.filled`;
  if (options.keep === undefined || !existsSync(filledFile)) {
    await fill(folder);
    if (options.keep !== undefined) writeFileSync(filledFile, "");
  }
  if (!options.fill) await measure(folder);
  if (options.keep === undefined) rmSync(folder, { recursive: true });
}

async function fill(folder: string): Promise<void> {
  await using server = await startServer({ data_dir: folder, search: { enabled: false } });
  const owner = await registerUser(server, "owner");
  const searchers: Record<keyof typeof members, TestClient> = {
    few: await registerUser(server, "few"),
    all: await registerUser(server, "all"),
    one: await registerUser(server, "one"),
  };
  const seeds = await seedRooms(owner, searchers);
  const perSecond = { without: await sendRate(owner, seeds), with: 0 };
  await server.restart(async () => addMessages(join(folder, "hearth.db"), seeds, messages), {
    search: { enabled: true },
  });
  await indexAll(folder, searchers.all);
  perSecond.with = await sendRate(owner, seeds);
  const sizes = sizesOf(folder);
  report(
    `index: ${(sizes.index / messages).toFixed(0)} bytes a message, events: ${(sizes.events / messages).toFixed(0)}`,
  );
  report(`sends/s: ${perSecond.without.toFixed(0)} without the index, ${perSecond.with.toFixed(0)} with it`);
}

async function measure(folder: string): Promise<void> {
  await using server = await startServer({ data_dir: folder });
  for (const name of Object.keys(members)) await searchAs(name, await login(server, name));
}

async function seedRooms(owner: TestClient, searchers: Record<keyof typeof members, TestClient>) {
  const seeds: SeededRoom[] = [];
  for (let index = 0; index < rooms; index++) {
    const roomId = await createRoom(owner, {});
    for (const name of ["few", "all", "one"] as const) {
      if (index < members[name]) await joinRoom(searchers[name], roomId);
    }
    seeds.push({ roomId, eventId: await say(owner, roomId, "seed") });
  }
  return seeds;
}

/** So long that what is sent is indexed meanwhile. */
const sendSeconds = 20;

/** Messages that 32 clients at a time send, a second. */
async function sendRate(owner: TestClient, seeds: readonly SeededRoom[]): Promise<number> {
  const end = performance.now() + sendSeconds * 1_000;
  let sent = 0;
  const client = async (index: number) => {
    while (performance.now() < end) {
      await say(
        owner,
        seeds[(index + sent) % seeds.length]?.roomId ?? "",
        `${words[sent % 2_000]} ${words[index]} meeting`,
      );
      sent += 1;
    }
  };
  await Promise.all(Array.from({ length: 32 }, (_, index) => client(index)));
  return sent / sendSeconds;
}

async function indexAll(folder: string, everywhere: TestClient): Promise<void> {
  const startMs = performance.now();
  const index = join(folder, "search.db");
  for (let upTo = 0; upTo === 0; ) {
    await search(everywhere, "anything", { order_by: "recent" });
    using db = openReadonly(index);
    upTo = (db.prepare("SELECT up_to FROM progress").pluck().get() as number | undefined) ?? 0;
  }
  const seconds = (performance.now() - startMs) / 1_000;
  report(
    `indexed ${messages} messages in ${seconds.toFixed(1)} s, ${(messages / seconds).toFixed(0)} a second`,
  );
}

function openReadonly(file: string): BetterSqlite3.Database & Disposable {
  const db = new BetterSqlite3(file, { readonly: true });
  return Object.assign(db, { [Symbol.dispose]: () => void db.close() });
}

function sizesOf(folder: string): { index: number; events: number } {
  return {
    index: statSync(join(folder, "search.db")).size,
    events: statSync(join(folder, "hearth.db")).size,
  };
}

async function searchAs(name: string, searcher: TestClient): Promise<void> {
  const terms = {
    "a very common word": words[0],
    "a common word": words[30],
    "a rare word": words[40_000],
    "a word that is nowhere": "xylophonist",
    "two common words": `${words[0]} ${words[2]}`,
    "a beginning": (words[300] ?? "").slice(0, 3),
    "two characters": "東京",
    "one character": "都",
    "a word of other rooms": "elsewhere",
  };
  const all: number[] = [];
  for (const [what, term = ""] of Object.entries(terms)) {
    for (const order of ["recent", "rank"]) {
      const times: number[] = [];
      let count = 0;
      for (let turn = 0; turn < repeats; turn++) {
        const startMs = performance.now();
        ({ count } = await search(searcher, term, { order_by: order }));
        times.push(performance.now() - startMs);
      }
      all.push(...times);
      const at = percentilesOf(times);
      report(
        `${name.padEnd(4)} ${what.padEnd(23)} ${order.padEnd(6)} best ${at(0)} ms, median ${at(0.5)} ms, 95th ${at(0.95)} ms, about ${count}`,
      );
    }
  }
  const at = percentilesOf(all);
  report(`${name.padEnd(4)} all of these: median ${at(0.5)} ms, 99th ${at(0.99)} ms, longest ${at(1)} ms`);
}

function percentilesOf(times: readonly number[]): (part: number) => string | undefined {
  const sorted = times.toSorted((a, b) => a - b);
  return (part) =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]?.toFixed(1).padStart(6);
}

await main();
