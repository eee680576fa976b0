import type { SigningKey, VerifyKey } from "./ed25519.ts";
import { EncodedEvent } from "./event-encoding.ts";
import type { EventLike } from "./event-encoding.ts";
import { contentHash } from "./event-hash.ts";
import { PduFormatError } from "./errors.ts";
import { domainOf, parseUserId, serverNameOf } from "./identifiers.ts";
import type { EventId, ServerName } from "./identifiers.ts";
import { isJsonObject } from "./json.ts";
import type { JsonObject } from "./json.ts";
import { hasValidSignatures, withSignature } from "./json-signing.ts";
import type { Pdu } from "./pdu.ts";
import type { RoomVersion } from "./room-versions.ts";

/**
 * A copy of an event with its content hash and a server's signature; signatures that it already has are kept
 * (server-server API, "Adding hashes and signatures to outgoing events").
 * @throws CanonicalJsonError for an event that has no canonical JSON in its room version
 */
export function hashAndSignEvent<T extends EventLike>(
  version: RoomVersion,
  event: T,
  serverName: string,
  key: SigningKey,
): T & { hashes: JsonObject; signatures: JsonObject } {
  return signEvent(version, { ...event, hashes: { sha256: contentHash(version, event) } }, serverName, key);
}

/**
 * A copy of an event that has its hash, with a server's signature added.
 * @throws CanonicalJsonError for an event that has no canonical JSON in its room version
 */
export function signEvent<T extends EventLike>(
  version: RoomVersion,
  event: T,
  serverName: string,
  key: SigningKey,
): T & { signatures: JsonObject } {
  const signature = key.sign(new EncodedEvent(version, event).signedBytes());
  return { ...event, signatures: withSignature(event["signatures"], serverName, key.keyId, signature) };
}

/**
 * Whether an event is validly signed by a server (server-server API, "Validating hashes and signatures on received events").
 * @param keys the server's keys that are known and were valid for the event; signatures by other keys are ignored
 * @param encoded the event's encoding, when the caller has it
 * @throws CanonicalJsonError for an event that has no canonical JSON in its room version
 */
export function isEventSignedBy(
  version: RoomVersion,
  pdu: Pdu,
  serverName: ServerName,
  keys: readonly VerifyKey[],
  encoded?: EncodedEvent,
): boolean {
  return hasValidSignatures(pdu.signatures, serverName, keys, () =>
    (encoded ?? new EncodedEvent(version, pdu)).signedBytes(),
  );
}

/**
 * The servers whose signatures an event must have (server-server API, "Validating hashes and signatures on received events").
 * @param pdu of a checked format
 * @throws PduFormatError if an event names something as a signer that is no user ID
 */
export function requiredSigners(version: RoomVersion, pdu: Pdu): ServerName[] {
  const signers = new Set<ServerName>();
  const sender = parseUserId(pdu.sender);
  if (sender === undefined) throw new PduFormatError("invalid-identifier", "`sender` must be a user ID.");
  // An invite that answers a third-party invite may be sent by another server than its sender's.
  if (!isThirdPartyInvite(pdu)) signers.add(serverNameOf(sender));
  if (version.eventIdFormat === "named") {
    const server = pdu.event_id === undefined ? undefined : domainOf(pdu.event_id as EventId);
    if (server === undefined)
      throw new PduFormatError("invalid-identifier", "`event_id` must have a domain.");
    if (server !== serverNameOf(sender)) signers.add(server);
  }
  const authoriser = version.restrictedJoin ? joinAuthoriser(pdu) : undefined;
  if (authoriser !== undefined) signers.add(authoriser);
  return [...signers];
}

function isThirdPartyInvite(pdu: Pdu): boolean {
  return (
    pdu.type === "m.room.member" &&
    pdu.content["membership"] === "invite" &&
    isJsonObject(pdu.content["third_party_invite"])
  );
}

/** Room version 8, authorisation rule 4.2: the server of `join_authorised_via_users_server` must have signed a join. */
function joinAuthoriser(pdu: Pdu): ServerName | undefined {
  if (pdu.type !== "m.room.member" || pdu.content["membership"] !== "join") return undefined;
  const named = pdu.content["join_authorised_via_users_server"];
  if (named === undefined) return undefined;
  const authoriser = typeof named === "string" ? parseUserId(named) : undefined;
  if (authoriser !== undefined) return serverNameOf(authoriser);
  throw new PduFormatError("invalid-identifier", "`join_authorised_via_users_server` must be a user ID.");
}
