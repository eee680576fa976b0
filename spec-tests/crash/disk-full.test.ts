import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { registerUser, type TestAnswer, type TestClient } from "../support/client.ts";
import { ServerProcess } from "../support/server-process.ts";
import { databaseProblems } from "./database-check.ts";
import { readHistory } from "./observer.ts";

t.setTimeout(120_000);

const client = "/_matrix/client/v3";
const diskBytes = 16 * 1024 * 1024;
/** What a test may write before the disk is full. */
const roomLeftBytes = 256 * 1024;
const maxWrites = 2000;

/** A disk that is quick to fill: kept in memory, which takes the right to mount. */
class SmallDisk {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @returns why there is none, when this machine lets nobody have one */
  static mount(): SmallDisk | string {
    const folder = mkdtempSync(join(tmpdir(), "hearth-disk-"));
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${diskBytes}`, "tmpfs", folder], { stdio: "pipe" });
      return new SmallDisk(folder);
    } catch (error) {
      rmSync(folder, { recursive: true });
      return `a small disk cannot be mounted here: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  fill(): void {
    const { bavail, bsize } = statfsSync(this.folder);
    writeFileSync(join(this.folder, "filler"), Buffer.alloc(bavail * bsize - roomLeftBytes));
  }

  makeRoom(): void {
    rmSync(join(this.folder, "filler"));
  }

  unmount(): void {
    execFileSync("umount", [this.folder], { stdio: "pipe" });
    rmSync(this.folder, { recursive: true });
  }
}

const disk = SmallDisk.mount();
const skip = typeof disk === "string" ? disk : false;

t.test(
  "a full disk refuses writes, breaks nothing, and is forgotten when there is room again",
  { skip },
  async (t) => {
    if (typeof disk === "string") return;
    t.teardown(() => disk.unmount());
    const server = await ServerProcess.start({ data_dir: join(disk.folder, "data") });
    t.teardown(() => server[Symbol.asyncDispose]());
    const users = await Promise.all(["alice", "bob", "carol"].map((name) => registerUser(server, name)));
    const alice = users[0] as TestClient;
    const room = await createRoom(alice);
    for (const user of users.slice(1)) await user.post(`${client}/rooms/${room}/join`, {});
    const acknowledged: string[] = [];

    await t.test("writes are refused with 507 when the disk is full, and reads go on", async (t) => {
      disk.fill();
      const small = await uploadFile(alice, 1);
      t.equal(small.status, 507, "what is left is for the database");
      await Promise.all(users.map((user) => writeUntilFull(t, user, room, acknowledged)));
      t.equal((await alice.get(`${client}/account/whoami`)).status, 200);
      const upload = await uploadFile(alice, roomLeftBytes * 2);
      t.match(upload, { status: 507, body: { errcode: "M_RESOURCE_LIMIT_EXCEEDED", error: /full/ } });
      await checkHistory(t, alice, room, acknowledged);
    });

    await t.test("it serves again as soon as there is room", async (t) => {
      disk.makeRoom();
      t.equal((await uploadFile(alice, 1)).status, 200);
      for (const user of users) {
        const { status, body } = await sendMessage(user, room, `room again for ${user.userId}`);
        t.equal(status, 200);
        acknowledged.push(String(body["event_id"]));
      }
      await checkHistory(t, alice, room, acknowledged);
    });

    await t.test("killed with a full disk, it has everything when it starts again", async (t) => {
      disk.fill();
      await Promise.all(users.map((user) => writeUntilFull(t, user, room, acknowledged)));
      await server.end("SIGKILL");
      disk.makeRoom();
      await server.start();
      await checkHistory(t, alice, room, acknowledged);
    });

    t.strictSame(await server.end("SIGTERM"), { code: 0, signal: null });
    t.strictSame(databaseProblems(server.dataFolder), []);
  },
);

async function createRoom(user: TestClient): Promise<string> {
  const { body } = await user.post(`${client}/createRoom`, { preset: "public_chat" }, "createRoom");
  return encodeURIComponent(String(body["room_id"]));
}

function sendMessage(user: TestClient, room: string, transactionId: string): Promise<TestAnswer> {
  const path = `${client}/rooms/${room}/send/m.room.message/${encodeURIComponent(transactionId)}`;
  return user.put(path, { msgtype: "m.text", body: "x".repeat(4000) }, "sendMessage");
}

async function uploadFile(user: TestClient, sizeBytes: number): Promise<Pick<TestAnswer, "status" | "body">> {
  const response = await fetch(`${user.server.url}/_matrix/media/v3/upload`, {
    method: "POST",
    headers: { Authorization: `Bearer ${user.accessToken}`, "Content-Type": "application/octet-stream" },
    body: Buffer.alloc(sizeBytes),
  });
  return { status: response.status, body: (await response.json()) as TestAnswer["body"] };
}

/** Sends until the server refuses, which it has to do in the right way. */
async function writeUntilFull(
  t: Test,
  user: TestClient,
  room: string,
  acknowledged: string[],
): Promise<void> {
  for (let i = 0; i < maxWrites; i++) {
    const { status, body } = await sendMessage(user, room, `${acknowledged.length} ${i}`);
    if (status !== 200) {
      t.match(
        { status, body },
        { status: 507, body: { errcode: "M_RESOURCE_LIMIT_EXCEEDED", error: /full/ } },
      );
      return;
    }
    acknowledged.push(String(body["event_id"]));
  }
  t.fail(`the disk is not full after ${maxWrites} messages`);
}

/** Each event that was acknowledged is there once, and none that was refused. */
async function checkHistory(
  t: Test,
  user: TestClient,
  room: string,
  acknowledged: readonly string[],
): Promise<void> {
  const history = await readHistory(user, room);
  const messages = history.filter(({ type }) => type === "m.room.message").map(({ event_id }) => event_id);
  t.strictSame(messages.toSorted(), acknowledged.toSorted());
}
