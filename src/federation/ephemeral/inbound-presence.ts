import { boundedCache } from "../../cache/bounded-cache.ts";
import { parseUserId, type ServerName, serverNameOf } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import type { Presence, ToldPresence } from "../../services/presence/presence.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import { type PresenceState, presenceStates } from "../../storage/presence.ts";
import type { StreamChange } from "../../storage/streams.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { Pace } from "../../telemetry/pace.ts";

/** Servers tell of 50 at a time. What is beyond goes unheard. */
const maxUsers = 200;
/** As users of this server may set. */
const maxStatusLength = 1_000;
const maxEarly = 2_000;

export interface InboundPresenceParts {
  readonly names: Pick<NameCache, "findUser" | "userId">;
  readonly presence: Pick<Presence, "heard">;
  readonly memberships: Pick<MembershipStore, "joinedRoomNids">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Takes `m.presence` (server-server API, "Presence"). */
export class InboundPresence {
  readonly #parts: InboundPresenceParts;
  readonly #pace: Pace;
  /**
   * By user ID, what has come of users whom nobody here meets yet: a server that has let one of our users into a room tells
   * of its own while we still read who is there.
   */
  readonly #early = boundedCache<string, ToldPresence>(maxEarly);

  constructor(parts: InboundPresenceParts) {
    this.#parts = parts;
    this.#pace = new Pace(parts.clock);
  }

  /** To be told of each commit. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    if (this.#early.size === 0) return;
    const joined = changes.flatMap(({ nid, membership }) => (membership?.joined ? [nid] : []));
    if (joined.length === 0) return;
    this.#meet(joined).catch((error: unknown) => {
      this.#parts.log.warn({ err: error }, "the presence of users of other servers was lost");
    });
  };

  readonly receive = async (origin: ServerName, { push }: JsonObject): Promise<void> => {
    if (!Array.isArray(push)) return;
    for (const update of push.slice(0, maxUsers) as readonly JsonValue[]) {
      await this.#pace.breathe();
      if (isJsonObject(update)) await this.#take(origin, update);
    }
  };

  async #meet(joined: readonly number[]): Promise<void> {
    const { names, presence } = this.#parts;
    for (const userNid of joined) {
      await this.#pace.breathe();
      const userId = await names.userId(userNid);
      const told = this.#early.get(userId);
      if (!told) continue;
      this.#early.delete(userId);
      await presence.heard(userNid, told);
    }
  }

  async #take(origin: ServerName, update: JsonObject): Promise<void> {
    const { user_id: userId } = update;
    const told = presenceIn(update, this.#parts.clock.nowMs());
    if (typeof userId !== "string" || !told) return;
    const user = parseUserId(userId);
    if (!user || serverNameOf(user) !== origin) return;
    const userNid = await this.#parts.names.findUser(user);
    const rooms = userNid === undefined ? [] : await this.#parts.memberships.joinedRoomNids(userNid);
    if (userNid !== undefined && rooms.length > 0) await this.#parts.presence.heard(userNid, told);
    else if (told.state !== "offline") this.#early.set(user, told);
  }
}

function presenceIn(
  { presence, status_msg: status = null, last_active_ago: ago = 0 }: JsonObject,
  nowTs: number,
): ToldPresence | undefined {
  if (typeof presence !== "string" || !isPresenceState(presence)) return undefined;
  if (status !== null && (typeof status !== "string" || status.length > maxStatusLength)) return undefined;
  if (typeof ago !== "number" || !Number.isSafeInteger(ago) || ago < 0) return undefined;
  return {
    state: presence,
    statusMessage: status === "" ? null : status,
    lastActiveTs: Math.max(0, nowTs - ago),
  };
}

function isPresenceState(text: string): text is PresenceState {
  return Object.hasOwn(presenceStates, text);
}
