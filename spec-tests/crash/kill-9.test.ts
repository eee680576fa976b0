import { createHash, randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import t, { type Test } from "tap";
import { login, registerUser, type TestClient } from "../support/client.ts";
import { ServerProcess } from "../support/server-process.ts";
import { within } from "../support/within.ts";
import { faultsOf } from "./history-faults.ts";
import { Observer, readHistory, type RoomEventJson } from "./observer.ts";
import { databaseProblems } from "./database-check.ts";
import { send, WriteStorm } from "./write-storm.ts";

t.setTimeout(120_000);

const client = "/_matrix/client/v3";
const rounds = 4;
const phaseTimeoutMs = 60_000;

/** Set to a seed that a failure told, the moments of the kills are the same again. */
const seed = process.env["TEST_SEED"] ?? randomBytes(4).toString("hex");

/** A number below a limit that depends on the seed and on what it is for. */
function seeded(purpose: string, limit: number): number {
  return createHash("sha256").update(`${seed} ${purpose}`).digest().readUInt32BE() % limit;
}

t.test("kill -9 in a storm of writes: what was acknowledged is there, in order, once", async (t) => {
  t.comment(`TEST_SEED=${seed}`);
  const server = await ServerProcess.start();
  t.teardown(() => server[Symbol.asyncDispose]());
  const scene = await prepareScene(server);
  for (let round = 0; round < rounds; round++) {
    await strike(server, scene, round);
    await server.start();
    await checkHistories(t, scene, `round ${round}`);
    await resendUnanswered(t, scene);
    await checkHistories(t, scene, `round ${round}, after sending again`);
    await checkObserver(t, scene);
    await checkNewcomers(t, scene);
  }
  t.strictSame(server.complaints, []);
  t.strictSame(await server.end("SIGTERM"), { code: 0, signal: null });
  t.strictSame(databaseProblems(server.dataFolder), []);
});

interface Scene {
  readonly senders: readonly TestClient[];
  readonly rooms: readonly string[];
  readonly storm: WriteStorm;
  readonly observer: Observer;
}

async function prepareScene(server: ServerProcess): Promise<Scene> {
  const alice = await registerUser(server, "alice");
  const others = [await registerUser(server, "bob"), await registerUser(server, "carol")];
  const rooms: string[] = [];
  for (let i = 0; i < 3; i++) {
    const everybodyMaySetState = { power_level_content_override: { state_default: 0 } };
    const body = { preset: "public_chat", ...everybodyMaySetState };
    const answer = await alice.post(`${client}/createRoom`, body, "createRoom");
    const room = encodeURIComponent(String(answer.body["room_id"]));
    for (const other of others) {
      const { status } = await other.post(`${client}/rooms/${room}/join`, {}, "joinRoomById");
      if (status !== 200) throw new Error(`${other.userId} cannot join: ${status}`);
    }
    rooms.push(room);
  }
  // Of the sender of messages to devices, so that it has those as well.
  const observer = new Observer(await login(server, alice));
  return { senders: [alice, ...others], rooms, storm: new WriteStorm(server), observer };
}

/** Kills the server at some moment after some number of answers. */
async function strike(server: ServerProcess, { storm, observer, ...scene }: Scene, round: number) {
  const observed = observer.untilGone();
  const { struck, over } = storm.begin(scene.senders, scene.rooms, 50 + seeded(`count ${round}`, 250));
  await within(phaseTimeoutMs, "the storm to be answered", struck);
  await delay(seeded(`delay ${round}`, 20));
  await server.end("SIGKILL");
  await within(phaseTimeoutMs, "the clients to see that the server is gone", Promise.all([over, observed]));
}

async function checkHistories(t: Test, { storm, senders, rooms }: Scene, when: string): Promise<void> {
  for (const room of rooms) {
    const history = await readHistory(senders[0] as TestClient, room);
    const writes = storm.writes.filter((write) => write.room === room);
    t.strictSame(faultsOf(history, writes), [], `${when}, ${decodeURIComponent(room)}`);
  }
}

/** Whatever got no answer is sent again, as clients do, and so is the last that got one. */
async function resendUnanswered(t: Test, { storm, senders }: Scene): Promise<void> {
  const answered = storm.writes.filter((write) => write.answeredAt !== undefined && write.kind === "message");
  for (const sender of senders) {
    const last = answered.findLast((write) => write.sender === sender);
    if (!last) continue;
    const { body } = await send(last);
    t.equal(body["event_id"], last.eventId, `${last.mark} is one event, however often it is sent`);
  }
  const unanswered = storm.writes.filter((write) => write.answeredAt === undefined);
  for (const write of unanswered) storm.answered(write, await send(write));
}

/** The observer, who has synced before and after the crash, has seen just what is there. */
async function checkObserver(t: Test, { storm, senders, rooms, observer }: Scene): Promise<void> {
  const sender = senders[0] as TestClient;
  for (const room of rooms) {
    await storm.write({ sender, room, kind: "message", mark: `last of ${storm.writes.length}` });
    const last = storm.writes.at(-1)?.eventId ?? "";
    const problem = `the observer to see ${last}`;
    await within(phaseTimeoutMs, problem, observer.untilSeen(room, last));
    const history = await readHistory(sender, room);
    const idsOf = (events: readonly RoomEventJson[]) => events.map((event) => event.event_id);
    t.strictSame(idsOf(observer.timeline(room)), idsOf(history), "sync and messages tell the same");
  }
  const toDevice = storm.writes.filter((write) => write.kind === "to-device");
  const received = observer.toDevice.map(({ content }) => (content as { mark: string }).mark);
  t.strictSame(
    received,
    toDevice.map((write) => write.mark),
    "messages to devices arrive once, in order",
  );
}

/** Who was told that they are registered is. */
async function checkNewcomers(t: Test, { storm }: Scene): Promise<void> {
  for (const newcomer of storm.newcomers) {
    const { status, body } = await newcomer.get(`${client}/account/whoami`);
    t.match({ status, body }, { status: 200, body: { user_id: newcomer.userId } });
  }
}
