import type { ReceivedEvent } from "../../ingest/received-event.ts";
import type { RoomOutliers } from "../../ingest/room-outliers.ts";
import { domainOf, parseUserId, type ServerName, serverNameOf } from "../../protocol/identifiers.ts";
import { isJsonObject } from "../../protocol/json.ts";
import type { RoomEvent } from "../../protocol/pdu.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { Room } from "../../state/room-index.ts";
import type { EventStore } from "../../storage/events.ts";
import type { MembershipRow, MembershipStore } from "../../storage/memberships.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import { RefusedPduError } from "./pdu-checks.ts";

export interface WithdrawalsParts {
  readonly serverName: ServerName;
  readonly outliers: RoomOutliers;
  readonly memberships: Pick<MembershipStore, "of">;
  readonly events: Pick<EventReader, "roomEvent">;
  readonly eventStore: Pick<EventStore, "strippedState">;
  readonly names: Pick<NameCache, "findUser">;
}

/**
 * Takes the end of what users of this server wait for in rooms in which none of them is: an invite that is taken back, a
 * knock that is refused. The room's state is not here to judge it by, so it must come from where the invite came from, or
 * from a server that has shown us the room.
 */
export class Withdrawals {
  readonly #parts: WithdrawalsParts;

  constructor(parts: WithdrawalsParts) {
    this.#parts = parts;
  }

  /** @throws RefusedPduError for anything else; StorageError */
  async receive(room: Room, received: ReceivedEvent): Promise<void> {
    const { event } = received;
    const pending = isRemoval(event) ? await this.#pending(room, event.stateKey) : undefined;
    if (!pending || !(await this.#mayEnd(room, pending, event))) {
      throw new RefusedPduError("This server is not in the room.");
    }
    const isStillPending = async () => (await this.#pending(room, event.stateKey)) !== undefined;
    await this.#parts.outliers.storeMembership(room, received, [], isStillPending);
  }

  /** What a user of this server waits for. */
  async #pending({ roomNid }: Room, stateKey = ""): Promise<MembershipRow | undefined> {
    const { serverName, memberships, names } = this.#parts;
    const userId = parseUserId(stateKey);
    if (!userId || serverNameOf(userId) !== serverName) return undefined;
    const userNid = await names.findUser(userId);
    const row = userNid === undefined ? undefined : await memberships.of(roomNid, userNid);
    return row?.membership === "invite" || row?.membership === "knock" ? row : undefined;
  }

  async #mayEnd({ roomId }: Room, { membership, eventNid }: MembershipRow, end: RoomEvent): Promise<boolean> {
    if (membership === "invite") return (await this.#parts.events.roomEvent(eventNid)).sender === end.sender;
    const server = serverNameOf(end.sender);
    if (domainOf(roomId) === server) return true;
    const shown = (await this.#parts.eventStore.strippedState(eventNid)) ?? [];
    return shown.some((text) => serverOfSender(text) === server);
  }
}

/** Whether somebody else ends a user's membership. */
function isRemoval({ type, stateKey, sender, content }: RoomEvent): boolean {
  const { membership } = content;
  return type === "m.room.member" && sender !== stateKey && (membership === "leave" || membership === "ban");
}

function serverOfSender(strippedEvent: string): string | undefined {
  const event: unknown = JSON.parse(strippedEvent);
  const sender = isJsonObject(event) ? event["sender"] : undefined;
  const userId = typeof sender === "string" ? parseUserId(sender) : undefined;
  return userId && serverNameOf(userId);
}
