import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import BetterSqlite3 from "better-sqlite3";
import t from "tap";
import { exitCodes } from "../../src/cli/exit-codes.ts";
import { databaseProblems } from "../crash/database-check.ts";
import { faultsOf } from "../crash/history-faults.ts";
import { readHistory } from "../crash/observer.ts";
import { WriteStorm } from "../crash/write-storm.ts";
import { endWithTest } from "../support/child-process.ts";
import { registerUser } from "../support/client.ts";
import { mediaPath, upload } from "../support/media.ts";
import { ServerProcess } from "../support/server-process.ts";
import { until, within } from "../support/within.ts";

t.setTimeout(180_000);

const client = "/_matrix/client/v3";
const timeoutMs = 60_000;
const program = join(import.meta.dirname, "../../src/main.ts");
/** A database of some MiB takes seconds, so that there is a middle to be killed in. */
const slowly = ["--max-rate", "1"];

function begin(...words: string[]) {
  const child = spawn(process.execPath, [program, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  endWithTest(child);
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]).then(
    ([output, errors]) => ({ code: child.exitCode, output, errors }),
  );
  return { child, ended };
}

const hearth = (...words: string[]) => within(timeoutMs, `hearth ${words[0]}`, begin(...words).ended);

const server = await ServerProcess.start();
t.teardown(() => server[Symbol.asyncDispose]());
const place = mkdtempSync(join(tmpdir(), "hearth-backups-"));
t.teardown(() => rmSync(place, { recursive: true, force: true }));
const config = ["--config", join(server.folder, "hearth.yaml")];
const backups = () => readdirSync(place).filter((name) => /^\d{4}-/.test(name));
const unfinished = () => readdirSync(place).filter((name) => name.startsWith("unfinished-"));

const alice = await registerUser(server, "alice");
const { body } = await alice.post(`${client}/createRoom`, { preset: "public_chat" }, "createRoom");
const room = encodeURIComponent(String(body["room_id"]));
const picture = randomBytes(300_000);
const uri = await upload(alice, picture);
await alice.post(
  `${client}/keys/upload`,
  { one_time_keys: { "signed_curve25519:AAAAAQ": { key: "unused", signatures: {} } } },
  "uploadKeys",
);
const since = String((await alice.get(`${client}/sync`, "sync")).body["next_batch"]);
const storm = new WriteStorm(server);

t.test("a backup that was killed is none, and the next one clears it away", async (t) => {
  const { child, ended } = begin("backup", place, ...slowly, ...config);
  await until(timeoutMs, "the copy to begin", () =>
    unfinished().some((name) => existsSync(join(place, name, "hearth.db"))),
  );
  child.kill("SIGKILL");
  await ended;
  t.strictSame([backups().length, unfinished().length], [0, 1]);
  t.match(await hearth("backup", "verify", place), { code: exitCodes.refused, errors: "no backup" });
  t.match(await hearth("backup", place, ...config), { code: 0 });
  t.strictSame([backups().length, unfinished().length], [1, 0]);
});

t.test("a backup amid a storm of writes has everything that was acknowledged before it", async (t) => {
  const { struck, over } = storm.begin([alice], [room], 60);
  await within(timeoutMs, "the storm to be answered", struck);
  const before = storm.writes.filter(({ answeredAt }) => answeredAt !== undefined);
  const made = await hearth("backup", place, "--keep", "1", "--json", ...config);
  t.match(made, { code: 0, errors: "" });
  t.match(JSON.parse(made.output), { copiedMedia: { count: 0 }, manifest: { media: { count: 1 } } });
  t.equal(backups().length, 1, "the older one is gone");
  await server.end("SIGKILL");
  await over;
  const verified = await hearth("backup", "verify", place, "--json");
  t.match(JSON.parse(verified.output), { problems: [] });
  t.equal(verified.code, 0);

  const elsewhere = await ServerProcess.prepare();
  t.teardown(() => elsewhere[Symbol.asyncDispose]());
  const there = ["--config", join(elsewhere.folder, "hearth.yaml")];
  const killed = begin("restore", place, ...slowly, ...there);
  await until(timeoutMs, "the restore to begin", () => existsSync(join(elsewhere.dataFolder, "restoring")));
  killed.child.kill("SIGKILL");
  await killed.ended;
  t.notOk(existsSync(join(elsewhere.dataFolder, "hearth.db")), "what was killed has restored nothing");
  t.match(await hearth("restore", place, ...there), { code: 0, errors: "" });
  t.notOk(existsSync(join(elsewhere.dataFolder, "restoring")));

  await elsewhere.start();
  const restored = Object.assign(Object.create(alice), { server: elsewhere }) as typeof alice;
  const request = (path: string) =>
    fetch(elsewhere.url + path, { headers: { Authorization: `Bearer ${alice.accessToken}` } });
  t.ok((await request(`${client}/account/whoami`)).ok, "sessions go on");
  const file = await request(mediaPath("download", uri));
  t.ok(Buffer.from(await file.arrayBuffer()).equals(picture), "media are there");
  const synced = (await (await request(`${client}/sync?since=${since}`)).json()) as Record<string, unknown>;
  t.match(synced, { device_one_time_keys_count: { signed_curve25519: 0 } }, "no key is given out twice");
  t.notMatch(JSON.stringify(synced["to_device"] ?? {}), "test.mark", "no message to a device comes twice");
  t.ok(
    Number.parseInt(/\d+/.exec(String(synced["next_batch"]))?.[0] ?? "", 10) > 1e10,
    "positions went ahead",
  );
  t.equal((await request(`${client}/rooms/${room}/messages?dir=b`)).status, 200);
  const history = await readHistory(restored, room);
  const inRoom = before.filter(({ kind }) => kind !== "to-device");
  t.strictSame(faultsOf(history, inRoom), []);
  t.strictSame(elsewhere.complaints, []);
  t.match(await hearth("restore", place, "--replace", ...there), {
    code: exitCodes.refused,
    errors: "is using",
  });
  t.strictSame(await elsewhere.end("SIGTERM"), { code: 0, signal: null });
  t.strictSame(databaseProblems(elsewhere.dataFolder), []);
  t.match(await hearth("restore", place, ...there), { code: exitCodes.refused, errors: "--replace" });
});

/** A disk of this size, which takes the right to mount. @returns why there is none, where nobody may have one */
function mountDisk(folder: string, sizeBytes: number): string | false {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${sizeBytes}`, "tmpfs", folder], { stdio: "pipe" });
    return false;
  } catch (error) {
    return `a small disk cannot be mounted here: ${String(error)}`;
  }
}

t.test("a disk that is too small, or gets full, has nothing of the backup in the end", async (t) => {
  const small = mkdtempSync(join(tmpdir(), "hearth-disk-"));
  const db = new BetterSqlite3(join(server.dataFolder, "hearth.db"), { readonly: true });
  const databaseBytes = Number(db.pragma("page_count", { simple: true })) * 4096;
  db.close();
  // The database has room, and the picture beside it has not.
  const skip = mountDisk(small, databaseBytes + picture.length / 2);
  t.teardown(() => {
    if (skip === false) execFileSync("umount", [small], { stdio: "pipe" });
    rmSync(small, { recursive: true });
  });
  const filler = join(small, "filler");
  const backUp = async () => {
    const { code, errors } = await hearth("backup", small, ...config);
    const left = readdirSync(small, { recursive: true, withFileTypes: true });
    return { code, errors, left: left.filter((file) => file.isFile() && file.name !== "lock.db").length };
  };
  await t.test("too small from the beginning", { skip }, async (t) => {
    writeFileSync(filler, Buffer.alloc(picture.length));
    t.match(await backUp(), { code: exitCodes.diskFull, errors: "Nothing was copied.", left: 1 });
    rmSync(filler);
  });
  await t.test("full in the middle", { skip }, async (t) => {
    t.match(await backUp(), { code: exitCodes.diskFull, errors: "nothing is left of it", left: 0 });
  });
});
