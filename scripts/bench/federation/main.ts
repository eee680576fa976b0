// Measures federation: `npm run bench:federation [-- part ...]`. Servers are processes of their own, their peers are fake.
import { benchDestinations } from "./destinations.ts";
import { benchInbound } from "./inbound.ts";
import { benchJoin } from "./join.ts";
import { benchResolution } from "./resolution.ts";

/** What can be measured, in this order when nothing is named. */
const parts: Readonly<Record<string, () => Promise<void>>> = {
  join: () => benchJoin(),
  destinations: () => benchDestinations(),
  inbound: () => benchInbound(),
  resolution: () => benchResolution(),
};

const named = process.argv.slice(2);
for (const name of named.length > 0 ? named : Object.keys(parts)) {
  const part = parts[name];
  if (!part) throw new Error(`there is no part ${name}: there are ${Object.keys(parts).join(", ")}`);
  await part();
}
