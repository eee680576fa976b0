// Measures whether what users do costs more where there is more:
// `npm run bench:growth [-- part[=size] ...] [--keep FOLDER] [--fill]`, as in
// `npm run bench:growth -- members=5000 database=20000000`. Servers are processes of their own. Filling their databases
// takes minutes: those in a folder that is kept are found there again, and `--fill` does nothing but that.
import { parseArgs } from "node:util";
import { benchDatabase } from "./growth/database.ts";
import { benchMembers } from "./growth/members.ts";
import { benchRooms } from "./growth/rooms.ts";
import type { FilledServers } from "./growth/filled-server.ts";

interface Part {
  readonly defaultSize: number;
  readonly run: (size: number, servers: FilledServers) => Promise<void>;
}

/** What can be measured, in this order when nothing is named. */
const parts: Readonly<Record<string, Part>> = {
  members: { defaultSize: 50_000, run: benchMembers },
  database: { defaultSize: 5_000_000, run: benchDatabase },
  rooms: { defaultSize: 3_000, run: benchRooms },
};

const { values, positionals } = parseArgs({
  options: { keep: { type: "string" }, fill: { type: "boolean", default: false } },
  allowPositionals: true,
});
const servers = { folder: values.keep, onlyFill: values.fill };
for (const word of positionals.length > 0 ? positionals : Object.keys(parts)) {
  const [name = "", size] = word.split("=");
  const part = parts[name];
  if (!part) throw new Error(`there is no part ${name}: there are ${Object.keys(parts).join(", ")}`);
  await part.run(size === undefined ? part.defaultSize : Number(size), servers);
}
