import { boundedCache } from "../cache/bounded-cache.ts";
import type { EventPolicy, SignedEvent, StateLookUp } from "../ingest/event-policy.ts";
import { addSignature } from "../protocol/event-builder.ts";
import { PduFormatError } from "../protocol/errors.ts";
import type { ServerName } from "../protocol/identifiers.ts";
import { isJsonObject, type JsonValue } from "../protocol/json.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { RoomEvent } from "../protocol/pdu.ts";
import {
  isCheckedByPolicy,
  isSignedByPolicyServer,
  policyKeyId,
  type PolicyServer,
  policyServerIn,
  policyTypes,
} from "../protocol/policy-server.ts";
import type { Room } from "../state/room-index.ts";
import type { MembershipStore } from "../storage/memberships.ts";
import type { StreamChange } from "../storage/streams.ts";
import type { Clock } from "../telemetry/clock.ts";
import { type FederationClient, FederationError } from "./federation-client.ts";
import { RestingServers } from "./resting-servers.ts";

export interface PolicyServersParts {
  readonly client: Pick<FederationClient, "request">;
  readonly memberships: Pick<MembershipStore, "hasJoinedFrom">;
  readonly clock: Clock;
}

const paths = {
  stable: "/_matrix/policy/v1/sign",
  unstable: "/_matrix/policy/unstable/org.matrix.msc4284/sign",
} as const;
/** Everybody who sends something to the room waits. */
const timeoutMs = 10_000;
const maxResponseBytes = 65_536;
/** Where nobody answers, nobody else has to wait for that in vain meanwhile. */
const restMs = 10_000;
const cachedRooms = 10_000;
/** An Ed25519 signature is 88 characters of Base64, padding included. */
const maxSignatureLength = 88;

/** Asks the policy servers of rooms for their signatures (server-server API, "Policy Servers"). */
export class PolicyServers implements EventPolicy {
  readonly #parts: PolicyServersParts;
  /** By room: whether a server has a joined user in it. */
  readonly #joined = boundedCache<number, { readonly via: ServerName; readonly isJoined: Promise<boolean> }>(
    cachedRooms,
  );
  /** A policy server is a program of its own: that its server is heard of says nothing of it. */
  readonly #resting: RestingServers;

  constructor(parts: PolicyServersParts) {
    this.#parts = parts;
    this.#resting = new RestingServers(restMs, parts.clock);
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { membership } of changes) if (membership) this.#joined.delete(membership.roomNid);
  };

  /**
   * "If the Policy Server refuses to sign the event being sent, servers SHOULD fail to send that event."
   * @throws MatrixError M_FORBIDDEN, or M_LIMIT_EXCEEDED where the policy server says so, in its own words
   */
  async approve(room: Room, signed: SignedEvent, state: StateLookUp): Promise<void> {
    const { event, encoded } = signed;
    const server = await this.#serverFor(room, event, state);
    if (!server) return;
    const signature = await this.#ask(server, event).catch((error: unknown) => {
      throw refusal(server, error);
    });
    if (signature !== undefined && !hasRoomFor(signed, server, signature)) {
      throw new MatrixError(
        "M_TOO_LARGE",
        "The event is too large for the signature of its room's policy server",
      );
    }
    if (isSignedByPolicyServer(room.version, event.pdu, server, encoded)) return;
    throw new MatrixError(
      "M_FORBIDDEN",
      `${server.via}, the policy server of this room, has not signed the event`,
    );
  }

  /**
   * Whether an event of another server is wanted in its room; if not it is to be soft-failed. "If the Policy Server's
   * signature is invalid or missing, the homeserver SHOULD ask for a new signature": one that comes is put on the event.
   * @param state the room's current one
   */
  async recommends(room: Room, signed: SignedEvent, state: StateLookUp): Promise<boolean> {
    const { event, encoded } = signed;
    const server = await this.#serverFor(room, event, state);
    if (!server || isSignedByPolicyServer(room.version, event.pdu, server, encoded)) return true;
    const signature = await this.#ask(server, event).catch((error: unknown) => {
      if (error instanceof FederationError) return undefined;
      throw error;
    });
    if (signature === undefined || !hasRoomFor(signed, server, signature)) return false;
    return isSignedByPolicyServer(room.version, event.pdu, server, encoded);
  }

  /** The policy server that has to sign an event, if one has. */
  async #serverFor(room: Room, event: RoomEvent, state: StateLookUp): Promise<PolicyServer | undefined> {
    if (!isCheckedByPolicy(event)) return undefined;
    const stable = await state.event(policyTypes.stable, "");
    const unstable = await state.event(policyTypes.unstable, "");
    if (!stable && !unstable) return undefined;
    const server = policyServerIn(stable?.content, unstable?.content);
    return server && (await this.#isJoined(room.roomNid, server.via)) ? server : undefined;
  }

  /** "The server name denoted by `via` has at least one joined user in the room in current state." */
  #isJoined(roomNid: number, via: ServerName): Promise<boolean> {
    const known = this.#joined.get(roomNid);
    if (known?.via === via) return known.isJoined;
    const isJoined = this.#parts.memberships.hasJoinedFrom(roomNid, via);
    this.#joined.set(roomNid, { via, isJoined });
    isJoined.catch(() => this.#joined.delete(roomNid));
    return isJoined;
  }

  /** @returns `undefined` when the server answers without a signature @throws FederationError */
  async #ask(server: PolicyServer, event: RoomEvent): Promise<string | undefined> {
    const answer = await this.#resting.ask(server.via, () => this.#answer(server, event));
    const own = isJsonObject(answer) ? answer[server.via] : undefined;
    const signature = isJsonObject(own) ? own[policyKeyId] : undefined;
    return typeof signature === "string" && signature.length <= maxSignatureLength ? signature : undefined;
  }

  async #answer({ via: destination, names }: PolicyServer, { pdu }: RoomEvent): Promise<JsonValue> {
    const { client } = this.#parts;
    const request = { destination, method: "POST", body: { ...pdu }, timeoutMs, maxResponseBytes } as const;
    const body = request.body as JsonValue;
    try {
      return await client.request({ ...request, body, uri: paths[names] });
    } catch (error) {
      // Policy servers were there before the specification knew them.
      const isOld = error instanceof FederationError && error.errcode === "M_UNRECOGNIZED";
      if (names === "unstable" || !isOld) throw error;
      return client.request({ ...request, body, uri: paths.unstable });
    }
  }
}

/** Puts a signature on an event, unless that makes it larger than events may be. */
function hasRoomFor(signed: SignedEvent, { via }: PolicyServer, signature: string): boolean {
  try {
    addSignature(signed, via, policyKeyId, signature);
    return true;
  } catch (error) {
    if (error instanceof PduFormatError) return false;
    throw error;
  }
}

/** "If the Policy Server returned an error, that error SHOULD be provided to the client verbatim." */
function refusal({ via }: PolicyServer, error: unknown): unknown {
  if (!(error instanceof FederationError)) return error;
  const body = isJsonObject(error.body) ? error.body : {};
  const said = body["error"];
  const reason =
    typeof said === "string" ? said.slice(0, 1_000) : "The event cannot be checked at the moment";
  if (error.errcode === "M_LIMIT_EXCEEDED") {
    const retryAfterMs = body["retry_after_ms"];
    const details = typeof retryAfterMs === "number" ? { retry_after_ms: retryAfterMs } : {};
    return new MatrixError("M_LIMIT_EXCEEDED", reason, details);
  }
  if (error.errcode === "M_FORBIDDEN") return new MatrixError("M_FORBIDDEN", reason);
  // Other codes would make clients believe that the room, or this endpoint, is not there.
  const code = error.errcode === undefined ? "" : ` (${error.errcode.slice(0, 100)})`;
  return new MatrixError(
    "M_FORBIDDEN",
    `${via}, the policy server of this room, does not sign: ${reason}${code}`,
  );
}
