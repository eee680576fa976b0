import { type ClientRequest, request } from "node:http";
import { json } from "node:stream/consumers";
import t from "tap";
import { registerUser, type TestAnswer, type TestClient } from "../support/client.ts";
import { ServerProcess } from "../support/server-process.ts";
import { within } from "../support/within.ts";
import { databaseProblems } from "./database-check.ts";
import { faultsOf } from "./history-faults.ts";
import { readHistory } from "./observer.ts";
import { WriteStorm } from "./write-storm.ts";

const client = "/_matrix/client/v3";
const phaseTimeoutMs = 60_000;
/** After so long a server that stops breaks off what is not finished. */
const drainTimeoutMs = 10_000;
/** The longest that the server lets anybody wait. */
const pollTimeoutMs = 60_000;
const writesBeforeTheEnd = 60;

t.setTimeout(120_000);
const server = await ServerProcess.start();
t.teardown(() => server[Symbol.asyncDispose]());
const [alice, bob] = [await registerUser(server, "alice"), await registerUser(server, "bob")];
const [carol, dave] = [await registerUser(server, "carol"), await registerUser(server, "dave")];
const { body } = await alice.post(`${client}/createRoom`, { preset: "public_chat" }, "createRoom");
const room = encodeURIComponent(String(body["room_id"]));
await bob.post(`${client}/rooms/${room}/join`, {}, "joinRoomById");

t.test(
  "SIGTERM: requests in flight are answered, long polls end, what was acknowledged is kept",
  async (t) => {
    const polls = await Promise.all([carol, dave].map(beginPoll));
    const slow = await within(phaseTimeoutMs, "a request to be let in", SlowRequest.begin(bob, room));
    const storm = new WriteStorm(server);
    const { struck, over } = storm.begin([alice], [room], writesBeforeTheEnd);
    await within(phaseTimeoutMs, "the storm to be answered", struck);
    t.notOk(
      polls.some(({ isAnswered }) => isAnswered()),
      "the long polls wait",
    );
    const stoppedMs = performance.now();
    const ended = server.end("SIGTERM");

    const answers = await within(
      drainTimeoutMs,
      "the long polls to end",
      Promise.all(polls.map(({ answer }) => answer)),
    );
    for (const { status, body: synced } of answers) {
      t.equal(status, 200);
      t.type(synced["next_batch"], "string");
    }
    const sent = await within(phaseTimeoutMs, "the slow request to be answered", slow.finish());
    t.equal(sent.status, 200, "a request of which half was there when the server was told to stop");
    await within(phaseTimeoutMs, "the clients to see that the server is gone", over);
    t.strictSame(await ended, { code: 0, signal: null });
    const tookMs = performance.now() - stoppedMs;
    t.ok(tookMs < drainTimeoutMs, `nothing had to be broken off after ${tookMs} ms`);
    t.strictSame(server.complaints, []);
    t.strictSame(databaseProblems(server.dataFolder), []);

    await server.start();
    const history = await readHistory(alice, room);
    const writes = storm.writes.filter((write) => write.room === room);
    t.strictSame(faultsOf(history, writes), []);
    t.ok(history.some((event) => event.event_id === sent.eventId));
  },
);

/** Begins to wait for news, of which there will be none. Inside an object, so that nobody waits for the answer. */
async function beginPoll(
  user: TestClient,
): Promise<{ answer: Promise<TestAnswer>; isAnswered: () => boolean }> {
  const first = await user.get(`${client}/sync`, "sync");
  const since = String(first.body["next_batch"]);
  let isAnswered = false;
  const poll = async () => {
    const answer = await user.get(`${client}/sync?since=${since}&timeout=${pollTimeoutMs}`, "sync");
    isAnswered = true;
    return answer;
  };
  return { answer: poll(), isAnswered: () => isAnswered };
}

/** A message of which the server has got the first half. */
class SlowRequest {
  readonly #rest: string;
  readonly #request: ClientRequest;

  private constructor(ongoing: ClientRequest, rest: string) {
    this.#request = ongoing;
    this.#rest = rest;
  }

  /** Resolves when the server has let the request in. */
  static begin(user: TestClient, roomId: string): Promise<SlowRequest> {
    const content = JSON.stringify({ msgtype: "m.text", body: "slow" });
    const half = content.length >> 1;
    const ongoing = request(`${user.server.url}${client}/rooms/${roomId}/send/m.room.message/slow`, {
      method: "PUT",
      headers: {
        Authorization: `Bearer ${user.accessToken}`,
        "Content-Type": "application/json",
        "Content-Length": content.length,
        Expect: "100-continue",
      },
    });
    return new Promise((resolve, reject) => {
      ongoing.once("error", reject);
      ongoing.once("continue", () => {
        ongoing.write(content.slice(0, half));
        resolve(new SlowRequest(ongoing, content.slice(half)));
      });
      ongoing.flushHeaders();
    });
  }

  /** Sends the second half. */
  finish(): Promise<{ status: number | undefined; eventId: unknown }> {
    return new Promise((resolve, reject) => {
      this.#request.once("error", reject);
      this.#request.once("response", (response) => {
        const read = async () => {
          const answer = (await json(response)) as { event_id?: string };
          return { status: response.statusCode, eventId: answer.event_id };
        };
        resolve(read());
      });
      this.#request.end(this.#rest);
    });
  }
}
