import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Preset } from "matrix-js-sdk";
import t, { type Test } from "tap";
import { stringify } from "yaml";
import { Person, SdkDevice } from "../matrix-js-sdk/sdk-device.ts";
import { endWithTest } from "../support/child-process.ts";
import { freePort } from "../support/free-port.ts";
import type { Json } from "../support/rooms.ts";
import { ServerProcess } from "../support/server-process.ts";
import { until } from "../support/within.ts";

// The application service API as a real bridge framework speaks it, and end-to-end encryption between it and a real client.
// `npm run test:bridges` installs the framework and runs this; the first argument is the Python that has it.

const [, , python = "python3"] = process.argv;
const waitMs = 120_000;
t.setTimeout(300_000);

/** The bridge as a process of its own. */
class EchoBridge {
  /** What it has told, in order. */
  readonly told: Json[] = [];
  readonly #complaints: string[] = [];
  readonly #options: Json;
  #process: ChildProcess | undefined;

  constructor(options: Json) {
    this.#options = options;
  }

  start(): void {
    const script = join(import.meta.dirname, "echo_bridge.py");
    const child = spawn(python, [script, JSON.stringify(this.#options)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    createInterface({ input: child.stdout }).on("line", (line) => this.told.push(JSON.parse(line) as Json));
    createInterface({ input: child.stderr }).on("line", (line) => this.#complaints.push(line));
    endWithTest(child);
    this.#process = child;
  }

  stop(): void {
    this.#process?.kill("SIGKILL");
  }

  /** Waits until it has told something. */
  async tells(what: string, isIt: (told: Json) => boolean): Promise<Json> {
    const seen = () => `the bridge to tell ${what}`;
    try {
      await until(waitMs, seen(), () => this.told.some(isIt));
    } catch (error) {
      const all = [...this.told.map((told) => JSON.stringify(told)), ...this.#complaints.slice(-40)];
      throw new Error(`waited in vain for ${seen()}; it told\n${all.join("\n")}`, { cause: error });
    }
    return this.told.findLast(isIt) ?? {};
  }
}

async function makeServer(t: Test): Promise<{ server: ServerProcess; bridge: EchoBridge }> {
  const port = await freePort();
  const names = { id: "echo", asToken: "as-token", hsToken: "hs-token", senderLocalpart: "_echo_bot" };
  const file = join(t.testdir(), "echo.yaml");
  const registration = {
    id: names.id,
    url: `http://127.0.0.1:${port}`,
    as_token: names.asToken,
    hs_token: names.hsToken,
    sender_localpart: names.senderLocalpart,
    namespaces: { users: [{ regex: "@_echo_.*:hearth\\.test", exclusive: true }], aliases: [], rooms: [] },
    rate_limited: false,
    receive_ephemeral: true,
    "org.matrix.msc3202": true,
    "io.element.msc4190": true,
  };
  await writeFile(file, stringify(registration));
  const server = await ServerProcess.start({ application_services: [file] });
  const bridge = new EchoBridge({
    ...names,
    port,
    homeserver: server.url,
    domain: "hearth.test",
    userPrefix: "_echo_user_",
  });
  return { server, bridge };
}

const { server, bridge } = await makeServer(t);
t.teardown(async () => {
  bridge.stop();
  await server[Symbol.asyncDispose]();
});
const alice = await SdkDevice.register(server, new Person("alice"));
t.teardown(() => alice.stop());
const bot = "@_echo_bot:hearth.test";

/** Says something and waits for the bridge to say it again. */
async function echoOf(roomId: string, text: string): Promise<string> {
  await alice.client.sendTextMessage(roomId, text);
  await bridge.tells(`"${text}"`, ({ message }) => message === text);
  const isEcho = () =>
    bridge.told.slice(bridge.told.findIndex(({ message }) => message === text)).find(({ sent }) => sent);
  await until(waitMs, "an echo", () => isEcho() !== undefined);
  return String(isEcho()?.["sent"]);
}

async function roomWithBot(
  initialState: { type: string; state_key: string; content: Json }[] = [],
): Promise<string> {
  const { room_id: roomId } = await alice.client.createRoom({
    preset: Preset.PrivateChat,
    invite: [bot],
    initial_state: initialState,
  });
  const room = await alice.seesRoom(roomId);
  await until(waitMs, "the bot to join", () => room.getMember(bot)?.membership === "join");
  return roomId;
}

await t.test("the bridge starts: its bot, a ping, a device of its own, keys", async (t) => {
  bridge.start();
  await bridge.tells("that it is ready", ({ ready }) => ready === true);
  t.ok(bridge.told.some(({ ping }) => typeof ping === "number"));
  const keys = await bridge.tells("the counts of its keys", ({ counts }) => counts !== undefined);
  t.strictSame(keys["counts"], { [bot]: ["ECHO"] });
  t.match(await alice.client.getProfileInfo(bot), { displayname: "Echo" });
});

await t.test("a user that is looked for comes to be", async (t) => {
  t.match(await alice.client.getProfileInfo("@_echo_user_wanted:hearth.test"), { displayname: "Ghost" });
});

await t.test("messages both ways, typing and receipts", async (t) => {
  const roomId = await roomWithBot();
  const echo = await echoOf(roomId, "Hello");
  const seen = await alice.sees(roomId, echo);
  t.equal(seen.getContent()["body"], "echo of Hello");
  t.equal(seen.getSender(), "@_echo_user_hello:hearth.test");
  t.equal(seen.getTs(), 1_000_000_000_000, "at the time that the bridge says");
  await alice.client.sendTyping(roomId, true, 10_000);
  await bridge.tells("who is typing", ({ typing }) => JSON.stringify(typing) === `["${alice.userId}"]`);
  await alice.client.sendReadReceipt(seen);
  await bridge.tells("what was read", ({ receipts }) => JSON.stringify(receipts) === JSON.stringify([echo]));
});

await t.test("encrypted messages both ways", async (t) => {
  const content = { algorithm: "m.megolm.v1.aes-sha2" };
  const roomId = await roomWithBot([{ type: "m.room.encryption", state_key: "", content }]);
  for (const text of ["Secret", "Another"]) {
    const seen = await alice.sees(roomId, await echoOf(roomId, text));
    t.equal(seen.getContent()["body"], `echo of ${text}`);
    t.ok(seen.isEncrypted());
    t.ok(bridge.told.some(({ message, encrypted }) => message === text && encrypted === true));
  }
});

await t.test("what was said while the server was killed and started again", async (t) => {
  const roomId = await roomWithBot();
  await server.end("SIGKILL");
  await server.start();
  await alice.reconnected();
  const seen = await alice.sees(roomId, await echoOf(roomId, "Again"));
  t.equal(seen.getContent()["body"], "echo of Again");
});
