import { randomBytes } from "node:crypto";
import t from "tap";
import { Chance } from "../convergence/chance.ts";
import { Scene } from "../convergence/scene.ts";
import { trial } from "../convergence/trials.ts";

// The longer form of it, with servers that are stopped and killed, is `npm run test:convergence`.

const seed = process.env["TEST_SEED"] ?? randomBytes(4).toString("hex");
const deedsOfEach = 6;

t.setTimeout(180_000);

t.test(`three servers agree after the network was cut, TEST_SEED=${seed}`, async (t) => {
  const scene = await Scene.prepare(3, "12", 1);
  t.teardown(() => scene[Symbol.asyncDispose]());
  await trial(t, scene, "partition", new Chance(seed), deedsOfEach);
  for (const server of scene.network.servers) t.same(server.complaints, []);
});
