import type { Test } from "tap";
import { assertAgreement } from "./agreement.ts";
import type { Chance } from "./chance.ts";
import { act } from "./deeds.ts";
import type { Scene } from "./scene.ts";

/** What goes wrong while all do what they do. */
type Trial = (scene: Scene, chance: Chance, busy: () => Promise<unknown>) => Promise<unknown>;

/** The network falls into two, or into single servers, and heals while all go on. */
const partition: Trial = async ({ network, parties }, chance, busy) => {
  const indexes = [...parties.keys()];
  const alone = chance.below(indexes.length + 1);
  network.partition(
    indexes.filter((index) => index !== alone).slice(0, alone === indexes.length ? 1 : undefined),
  );
  await busy();
  network.heal();
  await busy();
};

/** One is killed in the middle of what it does, and started again. */
const kill: Trial = async ({ network }, chance, busy) => {
  const server = chance.pick(network.servers);
  const working = busy();
  await new Promise((resolve) => setTimeout(resolve, chance.below(400)));
  await server.end("SIGKILL");
  await working;
  await server.start();
  await busy();
};

/** One is killed while the network is in two, in the middle of what it does. */
const killWhileCut: Trial = async ({ network }, chance, busy) => {
  const alone = chance.below(network.servers.length);
  network.partition([...network.servers.keys()].filter((index) => index !== alone));
  const server = chance.pick(network.servers);
  const working = busy();
  await new Promise((resolve) => setTimeout(resolve, chance.below(200)));
  await server.end("SIGKILL");
  await working;
  await server.start();
  network.heal();
  await busy();
};

/** One is away in an orderly way. */
const restart: Trial = async ({ network }, chance, busy) => {
  const server = chance.pick(network.servers);
  await server.end("SIGTERM");
  await busy();
  await server.start();
  await busy();
};

/** Connections break again and again, in the middle of requests. */
const flicker: Trial = async ({ network }, chance, busy) => {
  const working = { isOver: false };
  const over = busy().finally(() => {
    working.isOver = true;
  });
  while (!working.isOver) {
    network.partition();
    await new Promise((resolve) => setTimeout(resolve, chance.below(100)));
    network.heal();
    await new Promise((resolve) => setTimeout(resolve, chance.below(200)));
  }
  await over;
};

/** One is killed while users of it join anew, all at once. */
const killJoining: Trial = async (scene, chance, busy) => {
  const index = chance.below(scene.parties.length);
  const others = scene.parties[index]?.others ?? [];
  const server = scene.network.servers[index];
  await Promise.all(others.map((user) => scene.post(user, "leave", {})));
  const joining = others.map((user) => scene.enter(user).catch((error: unknown) => error));
  await new Promise((resolve) => setTimeout(resolve, chance.below(60)));
  await server?.end("SIGKILL");
  await Promise.all(joining);
  await server?.start();
  await busy();
};

const trials = { partition, kill, killWhileCut, restart, flicker, killJoining };
export type TrialName = keyof typeof trials;
export const trialNames = Object.keys(trials) as TrialName[];

/** Puts a scene to the test, and sees that all agree afterwards. */
export async function trial(
  t: Test,
  scene: Scene,
  name: TrialName,
  chance: Chance,
  deedsOfEach: number,
): Promise<void> {
  let calls = 0;
  const busy = () => {
    const call = calls++;
    const ways = scene.parties.map((party, index) =>
      act(scene, party, chance.fork(`${call} ${index}`), deedsOfEach),
    );
    return Promise.all(ways);
  };
  await trials[name](scene, chance, busy);
  await assertAgreement(t, scene, name);
}
