// Measures whether what users do costs more where there is more: `npm run bench:growth [-- part[=size] ...]`, as in
// `npm run bench:growth -- members=5000 database=20000000`. Servers are processes of their own.
import { benchDatabase } from "./growth/database.ts";
import { benchMembers } from "./growth/members.ts";
import { benchRooms } from "./growth/rooms.ts";

/** What can be measured, in this order when nothing is named. */
const parts: Readonly<Record<string, { defaultSize: number; run: (size: number) => Promise<void> }>> = {
  members: { defaultSize: 50_000, run: benchMembers },
  database: { defaultSize: 5_000_000, run: benchDatabase },
  rooms: { defaultSize: 3_000, run: benchRooms },
};

const named = process.argv.slice(2);
for (const word of named.length > 0 ? named : Object.keys(parts)) {
  const [name = "", size] = word.split("=");
  const part = parts[name];
  if (!part) throw new Error(`there is no part ${name}: there are ${Object.keys(parts).join(", ")}`);
  await part.run(size === undefined ? part.defaultSize : Number(size));
}
