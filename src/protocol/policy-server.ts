import { VerifyKey } from "./ed25519.ts";
import { KeyError } from "./errors.ts";
import type { EncodedEvent } from "./event-encoding.ts";
import { isEventSignedBy } from "./event-signing.ts";
import { isJsonObject, type JsonObject } from "./json.ts";
import type { Pdu, RoomEvent } from "./pdu.ts";
import type { RoomVersion } from "./room-versions.ts";
import { isServerName } from "./server-name.ts";
import type { ServerName } from "./identifiers.ts";

/** The state event that names a room's policy server, and what it was called before it was part of the specification. */
export const policyTypes = { stable: "m.room.policy", unstable: "org.matrix.msc4284.policy" } as const;

/** "The Key ID for the `ed25519` key in `m.room.policy` is *always* `ed25519:policy_server`." */
export const policyKeyId = "ed25519:policy_server";

/** Who checks the events of a room (server-server API, "Policy Servers"). */
export interface PolicyServer {
  readonly via: ServerName;
  /** `undefined` for a key that nobody can have signed with: no event has a valid signature then. */
  readonly key: VerifyKey | undefined;
  /** Under which names it works. */
  readonly names: keyof typeof policyTypes;
}

/**
 * The policy server that a room's state names ("Determining if a Policy Server is enabled in a room", the first
 * condition). Whether it has a joined user in the room is for the caller to find out.
 * @param stable content of `m.room.policy`, if there is one
 * @param unstable content of `org.matrix.msc4284.policy`, which has its key under another name
 */
export function policyServerIn(
  stable: JsonObject | undefined,
  unstable: JsonObject | undefined,
): PolicyServer | undefined {
  const keys = stable?.["public_keys"];
  const named = policyServer(stable?.["via"], isJsonObject(keys) ? keys["ed25519"] : undefined, "stable");
  return named ?? policyServer(unstable?.["via"], unstable?.["public_key"], "unstable");
}

function policyServer(via: unknown, key: unknown, names: PolicyServer["names"]): PolicyServer | undefined {
  if (typeof via !== "string" || !isServerName(via) || typeof key !== "string") return undefined;
  return { via, key: verifyKey(key), names };
}

function verifyKey(publicKey: string): VerifyKey | undefined {
  try {
    return new VerifyKey(policyKeyId, publicKey);
  } catch (error) {
    if (error instanceof KeyError) return undefined;
    throw error;
  }
}

/** Whether an event is one that policy servers check: "all events except for the `m.room.policy` state event itself". */
export function isCheckedByPolicy({ type, stateKey }: Pick<RoomEvent, "type" | "stateKey">): boolean {
  return stateKey !== "" || (type !== policyTypes.stable && type !== policyTypes.unstable);
}

/** Whether a policy server has signed an event ("Validating Policy Server signatures"). */
export function isSignedByPolicyServer(
  version: RoomVersion,
  pdu: Pdu,
  { via, key }: PolicyServer,
  encoded?: EncodedEvent,
): boolean {
  return key !== undefined && isEventSignedBy(version, pdu, via, [key], encoded);
}
