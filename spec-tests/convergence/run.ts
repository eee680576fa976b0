import { randomBytes } from "node:crypto";
import t from "tap";
import { Chance } from "./chance.ts";
import { testOutage } from "./outage.ts";
import { Scene } from "./scene.ts";
import { trial, trialNames } from "./trials.ts";

// `npm run test:convergence`: three servers, over TLS, in a room of each kind of state resolution. The network is cut, servers
// are stopped and killed, and all agree afterwards. TEST_SEED, as a failure tells it, makes the same choices again; TEST_ROUNDS
// says how often all is done, once unless said otherwise. Some room versions only: `npm run test:convergence -- 11 12`;
// `outage` among them is that of a server that is away for long.

const seed = process.env["TEST_SEED"] ?? randomBytes(4).toString("hex");
const rounds = Number(process.env["TEST_ROUNDS"] ?? 1);
const asked = process.argv.slice(2);
const versions = asked.length > 0 ? asked.filter((name) => name !== "outage") : ["1", "6", "11", "12"];
const servers = 3;
const othersOfServer = 2;
const deedsOfEach = 40;

t.setTimeout(3_600_000);
if (asked.length === 0 || asked.includes("outage")) {
  t.test("a server is away while ten thousand messages are said", async (t) => {
    t.setTimeout(1_200_000);
    await testOutage(t);
  });
}
for (let round = 0; round < rounds; round++) {
  for (const version of versions) {
    t.test(`version ${version}, TEST_SEED=${seed}, round ${round}`, async (t) => {
      t.setTimeout(1_200_000);
      const scene = await Scene.prepare(servers, version, othersOfServer);
      t.teardown(() => scene[Symbol.asyncDispose]());
      for (const name of trialNames) {
        const chance = new Chance(`${seed} ${round} ${version} ${name}`);
        await t.test(name, (t) => trial(t, scene, name, chance, deedsOfEach));
      }
      for (const server of scene.network.servers) t.same(server.complaints, []);
    });
  }
}
