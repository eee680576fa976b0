import { randomBytes } from "node:crypto";
import BetterSqlite3 from "better-sqlite3";

export interface SeededRoom {
  readonly roomId: string;
  /** A message of the room, of which all others are copies. */
  readonly eventId: string;
}

/** What is stored in one transaction. */
const blockSize = 500_000;
const cacheKib = 2 * 1024 * 1024;
const vocabulary = 60_000;
const sentences = ["東京都庁に行きました", "我们明天在北京开会", "학교에서 만나요", "会議は明日の午後です"];

/** The same numbers each time. */
let state = 1;
function random(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
}

/** Words as languages have them: the first is the most common one. */
export const words: readonly string[] = Array.from({ length: vocabulary }, (_, index) => {
  const letters = "etaoinshrdlucmfwypvbgk";
  const length = Math.min(12, 2 + Math.floor(Math.log2(index + 2) / 2 + random() * 5));
  return Array.from({ length }, () => letters[Math.floor(random() * letters.length)]).join("");
});

/** As often as Zipf's law has it. */
function anyWord(): string {
  return words[Math.floor(vocabulary ** random()) - 1] ?? "";
}

function anyText(room: number): string {
  if (random() < 0.05) return sentences[Math.floor(random() * sentences.length)] ?? "";
  const text = Array.from({ length: 3 + Math.floor(random() * 14) }, anyWord);
  // In half of the rooms, of which some searchers see none.
  if (room >= 500 && random() < 0.5) text.push("elsewhere");
  return text.join(" ");
}

/** Copies the seeds into a database that no server has open: busy rooms get more than quiet ones. */
export function addMessages(file: string, seeds: readonly SeededRoom[], messages: number): void {
  const db = new BetterSqlite3(file);
  db.pragma("synchronous = off");
  // Event IDs come in no order: their index has to be in memory.
  db.pragma(`cache_size = -${cacheKib}`);
  const columns = db.prepare<[], string>("SELECT name FROM pragma_table_info('events')").pluck().all();
  const insert = db.prepare(
    `INSERT INTO events (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
  );
  const bySeed = db.prepare<[string], Record<string, unknown>>("SELECT * FROM events WHERE event_id = ?");
  const rows = seeds.map(({ eventId }) => bySeed.get(eventId) ?? {});
  let eventNid = db.prepare("SELECT max(event_nid) FROM events").pluck().get() as number;
  let position = db.prepare("SELECT ceiling FROM stream_sequence").pluck().get() as number;
  const last = new Map<number, number>();
  const insertBlock = db.transaction((count: number) => {
    for (let added = 0; added < count; added++) {
      const room = Math.floor(random() ** 2 * rows.length);
      const row = rows[room] ?? {};
      eventNid += 1;
      position += 1;
      const common = String(row["common"]).replace('"seed"', JSON.stringify(anyText(room)));
      const eventId = `$${randomBytes(32).toString("base64url")}`;
      const changed: Record<string, unknown> = { event_nid: eventNid, event_id: eventId, position, common };
      insert.run(columns.map((name) => changed[name] ?? row[name]));
      last.set(Number(row["room_nid"]), position);
    }
  });
  for (let left = messages; left > 0; left -= blockSize) insertBlock(Math.min(left, blockSize));
  const update = db.prepare("UPDATE rooms SET last_position = ? WHERE room_nid = ?");
  for (const [roomNid, lastPosition] of last) update.run(lastPosition, roomNid);
  db.prepare("UPDATE stream_sequence SET ceiling = ?").run(position);
  db.close();
}
