import type { ReceivedEvent } from "../../ingest/received-event.ts";
import { buildEvent } from "../../protocol/event-builder.ts";
import type { SigningKey } from "../../protocol/ed25519.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { EventId, RoomId, ServerName, UserId } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject } from "../../protocol/json.ts";
import type { Pdu } from "../../protocol/pdu.ts";
import { type RoomVersion, roomVersion } from "../../protocol/room-versions.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { RandomBytes } from "../../telemetry/random.ts";
import { FederationError } from "../federation-client.ts";
import type { MembershipTemplate } from "../requests/membership-requests.ts";

export interface MembershipSignerParts {
  readonly serverName: ServerName;
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
}

const maxReferences = 100;

/** Makes member events out of what other servers propose. */
export class MembershipSigner {
  readonly #parts: MembershipSignerParts;

  constructor(parts: MembershipSignerParts) {
    this.#parts = parts;
  }

  /** The rules of the room that a template is for. @throws MatrixError M_INCOMPATIBLE_ROOM_VERSION */
  versionOf({ version }: MembershipTemplate): RoomVersion {
    const known = roomVersion(version);
    if (known) return known;
    throw new MatrixError(
      "M_INCOMPATIBLE_ROOM_VERSION",
      `The room has version ${version.slice(0, 100)}, which this server does not know`,
      { room_version: version.slice(0, 100) },
    );
  }

  /**
   * The user's own member event. Of the template it takes its place in the graph and who vouches for the user: what it
   * says is this server's to say.
   * @throws FederationError for a template that no event can be made of
   */
  sign(template: MembershipTemplate, roomId: RoomId, userId: UserId, content: JsonObject): ReceivedEvent {
    const { serverName, key, clock, randomBytes } = this.#parts;
    const version = this.versionOf(template);
    const { depth, prev_events: prevEvents, auth_events: authEvents, content: proposed } = template.event;
    if (typeof depth !== "number" || !isReferences(prevEvents) || !isReferences(authEvents)) throw unusable();
    const authoriser = isJsonObject(proposed) ? proposed["join_authorised_via_users_server"] : undefined;
    try {
      const { event, encoded } = buildEvent(
        version,
        {
          roomId,
          type: "m.room.member",
          stateKey: userId,
          sender: userId,
          content: {
            ...content,
            ...(typeof authoriser === "string" && { join_authorised_via_users_server: authoriser }),
          },
          depth,
          prevEvents,
          authEvents,
          originServerTs: clock.nowMs(),
          eventId:
            version.eventIdFormat === "named"
              ? (`$${randomBytes(18).toString("base64url")}:${serverName}` as EventId)
              : undefined,
        },
        serverName,
        key,
      );
      return { event, encoded };
    } catch (error) {
      if (error instanceof ProtocolError) throw unusable(error);
      throw error;
    }
  }
}

function isReferences(value: unknown): value is Pdu["prev_events"] {
  return Array.isArray(value) && value.length <= maxReferences;
}

function unusable(cause?: unknown): FederationError {
  return new FederationError("unreachable", "The server proposes an event that cannot be made.", { cause });
}
