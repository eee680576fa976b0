import type { ServerName } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import type { Presence, ToldPresence } from "../../services/presence/presence.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import { type PresenceState, presenceStates } from "../../storage/presence.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { Pace } from "../../telemetry/pace.ts";
import type { EduRooms } from "./edu-rooms.ts";

/** Servers tell of 50 at a time, older ones of everybody who has changed. What is beyond goes unheard. */
const maxUsers = 500;
/** As users of this server may set. */
const maxStatusLength = 1_000;

export interface InboundPresenceParts {
  readonly rooms: EduRooms;
  readonly presence: Pick<Presence, "heard">;
  readonly memberships: Pick<MembershipStore, "joinedRoomNids">;
  readonly clock: Clock;
}

/** Takes `m.presence` (server-server API, "Presence"). */
export class InboundPresence {
  readonly #parts: InboundPresenceParts;
  readonly #pace: Pace;

  constructor(parts: InboundPresenceParts) {
    this.#parts = parts;
    this.#pace = new Pace(parts.clock);
  }

  readonly receive = async (origin: ServerName, { push }: JsonObject): Promise<void> => {
    if (!Array.isArray(push)) return;
    for (const update of push.slice(0, maxUsers) as readonly JsonValue[]) {
      await this.#pace.breathe();
      if (isJsonObject(update)) await this.#take(origin, update);
    }
  };

  async #take(origin: ServerName, update: JsonObject): Promise<void> {
    const { user_id: userId } = update;
    const told = presenceIn(update, this.#parts.clock.nowMs());
    if (typeof userId !== "string" || !told) return;
    const userNid = await this.#parts.rooms.user(origin, userId);
    // Of users whom nobody here meets nothing is kept.
    if (userNid === undefined || (await this.#parts.memberships.joinedRoomNids(userNid)).length === 0) return;
    await this.#parts.presence.heard(userNid, told);
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
