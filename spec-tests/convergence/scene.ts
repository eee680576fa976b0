import { registerUser, type TestClient } from "../support/client.ts";
import { createRoom, type Json } from "../support/rooms.ts";
import { PartitionableServers } from "../support/partitionable-servers.ts";
import { until } from "../support/within.ts";

/** What the users of one server do in the room. */
export interface Party {
  /** Has power, which others may take away. */
  readonly moderator: TestClient;
  /** Is left alone by all moderators: whatever they say belongs into every timeline. */
  readonly speaker: TestClient;
  /** Are moderated, come and go. */
  readonly others: readonly TestClient[];
}

/** A message whose sending has been answered. */
export interface Acknowledged {
  readonly eventId: string;
  readonly body: string;
}

const waitMs = 120_000;
export const pauseMs = 250;

/** One room on several servers, and all that has been said in it. */
export class Scene implements AsyncDisposable {
  readonly network: PartitionableServers;
  readonly parties: readonly Party[];
  readonly roomId: string;
  readonly acknowledged: Acknowledged[] = [];
  #said = 0;

  private constructor(network: PartitionableServers, parties: readonly Party[], roomId: string) {
    this.network = network;
    this.parties = parties;
    this.roomId = roomId;
  }

  /** @param othersOfServer how many of each server are moderated */
  static async prepare(servers: number, version: string, othersOfServer: number): Promise<Scene> {
    const network = await PartitionableServers.start(servers);
    const parties = await Promise.all(
      network.servers.map(async (server) => ({
        moderator: await registerUser(server, "moderator"),
        speaker: await registerUser(server, "speaker"),
        others: await Promise.all(
          Array.from({ length: othersOfServer }, (_, index) => registerUser(server, `other-${index}`)),
        ),
      })),
    );
    const [creator] = parties.map(({ moderator }) => moderator);
    if (!creator) throw new Error("a scene needs servers");
    const roomId = await createRoom(creator, {
      room_version: version,
      power_level_content_override: levelsOf(parties, version === "12" ? creator.userId : undefined),
    });
    const scene = new Scene(network, parties, roomId);
    for (const { moderator, speaker, others } of parties) {
      for (const user of [moderator, speaker, ...others]) if (user !== creator) await scene.enter(user);
    }
    return scene;
  }

  get users(): readonly TestClient[] {
    return this.parties.flatMap(({ moderator, speaker, others }) => [moderator, speaker, ...others]);
  }

  /** Joins by way of any server that lets in. */
  async enter(user: TestClient): Promise<void> {
    const via = this.network.names.map((name) => `via=${name}`).join("&");
    const { status, body } = await user.post(
      `/_matrix/client/v3/join/${encodeURIComponent(this.roomId)}?${via}`,
      {},
    );
    if (status !== 200) throw new Error(`${user.userId} cannot join: ${status} ${JSON.stringify(body)}`);
  }

  /** Says something that has not been said before; remembers it when it is answered. */
  async say(speaker: TestClient): Promise<string | undefined> {
    const body = `${speaker.userId} ${++this.#said}`;
    const path = `${this.#path}/send/m.room.message/${encodeURIComponent(body)}`;
    const answer = await attempt(speaker.put(path, { msgtype: "m.text", body }));
    const eventId = answer?.body["event_id"];
    if (typeof eventId !== "string") return undefined;
    this.acknowledged.push({ eventId, body });
    return eventId;
  }

  /** @returns whether it has been answered with success */
  async setState(user: TestClient, type: string, stateKey: string, content: Json): Promise<boolean> {
    const path = `${this.#path}/state/${type}/${encodeURIComponent(stateKey)}`;
    return (await attempt(user.put(path, content)))?.status === 200;
  }

  /** @returns whether it has been answered with success */
  async post(user: TestClient, action: string, content: Json): Promise<boolean> {
    return (await attempt(user.post(`${this.#path}/${action}`, content)))?.status === 200;
  }

  async stateEvent(user: TestClient, type: string): Promise<Json | undefined> {
    const answer = await attempt(user.get(`${this.#path}/state/${type}/`));
    return answer?.status === 200 ? answer.body : undefined;
  }

  /** Waits until everybody can read an event. */
  async isEverywhere(eventId: string): Promise<void> {
    for (const { speaker } of this.parties) {
      const isThere = async () => {
        const answer = await attempt(speaker.get(`${this.#path}/event/${encodeURIComponent(eventId)}`));
        return answer?.status === 200;
      };
      await until(waitMs, `${speaker.userId} to see ${eventId}`, isThere, pauseMs);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.network[Symbol.asyncDispose]();
  }

  get #path(): string {
    return `/_matrix/client/v3/rooms/${encodeURIComponent(this.roomId)}`;
  }
}

/** An answer; none from a server that is gone, or goes in the middle of it. */
async function attempt<Answer>(request: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function levelsOf(parties: readonly Party[], exempt: string | undefined): Json {
  const users = parties.map(({ moderator }) => [moderator.userId, 100] as const);
  return { users: Object.fromEntries(users.filter(([userId]) => userId !== exempt)) };
}
