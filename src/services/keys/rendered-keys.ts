import type { CrossSigningKey, DeviceKeys, PublicKeys } from "../../storage/device-keys.ts";

/**
 * A user's public keys as pieces of a JSON answer, ready to be joined. Each piece is a member of an object and begins
 * with a comma: `,"@user:server":{...}`.
 */
export interface RenderedKeys {
  readonly userNid: number;
  /** Name of the member: the user ID as JSON, with comma and colon. */
  readonly name: Buffer;
  /** All devices. */
  readonly devices: Buffer;
  /** Each device, by ID: parts of `devices` without a comma. */
  readonly byDeviceId: ReadonlyMap<string, Buffer>;
  /** Public part of the master key. */
  readonly masterPublicKey: string | undefined;
  readonly masterKey: Buffer | undefined;
  readonly selfSigningKey: Buffer | undefined;
  readonly userSigningKey: Buffer | undefined;
  /** About how much memory this takes. */
  readonly sizeBytes: number;
}

export function renderKeys(userId: string, { userNid, devices, crossSigning }: PublicKeys): RenderedKeys {
  const name = `,${JSON.stringify(userId)}:`;
  const crossSigningPiece = (usage: CrossSigningKey["usage"]) => {
    const key = crossSigning.find((each) => each.usage === usage);
    return key && Buffer.from(`${name}${signedObject(userId, key)}`);
  };
  const { whole, byDeviceId } = renderDevices(name, userId, devices);
  const masterKey = crossSigningPiece("master");
  const selfSigningKey = crossSigningPiece("self_signing");
  const userSigningKey = crossSigningPiece("user_signing");
  const pieces = [whole, masterKey, selfSigningKey, userSigningKey];
  return {
    userNid,
    name: Buffer.from(name),
    devices: whole,
    byDeviceId,
    masterPublicKey: crossSigning.find(({ usage }) => usage === "master")?.publicKey,
    masterKey,
    selfSigningKey,
    userSigningKey,
    sizeBytes: pieces.reduce((sum, piece) => sum + (piece?.length ?? 0), 500 + 200 * devices.length),
  };
}

function renderDevices(
  name: string,
  userId: string,
  devices: readonly DeviceKeys[],
): { whole: Buffer; byDeviceId: Map<string, Buffer> } {
  const members = devices.map((device) =>
    Buffer.from(`${JSON.stringify(device.deviceId)}:${signedObject(userId, device, unsignedOf(device))}`),
  );
  const separated = members.flatMap((member, index) => (index === 0 ? [member] : [comma, member]));
  const start = Buffer.from(`${name}{`);
  const whole = Buffer.concat([start, ...separated, Buffer.from("}")]);
  const byDeviceId = new Map<string, Buffer>();
  let offset = start.length;
  for (const [index, { deviceId }] of devices.entries()) {
    const end = offset + (members[index]?.length ?? 0);
    byDeviceId.set(deviceId, whole.subarray(offset, end));
    offset = end + comma.length;
  }
  return { whole, byDeviceId };
}

const comma = Buffer.from(",");

/** "with the addition of an unsigned property": the display name, which is public. */
function unsignedOf({ displayName }: DeviceKeys): string {
  return displayName === null ? "" : `"unsigned":{"device_display_name":${JSON.stringify(displayName)}},`;
}

/** The signed object with its signatures, which come last: see `withSignature`. */
function signedObject(
  userId: string,
  { signed, signatures }: { readonly signed: string; readonly signatures: string },
  unsigned = "",
): string {
  const all = signatures === "{}" ? "{}" : `{${JSON.stringify(userId)}:${signatures}}`;
  const separator = signed === "{}" ? "" : ",";
  return `${signed.slice(0, -1)}${separator}${unsigned}"signatures":${all}}`;
}

/** A master key with one more signature, by somebody who is not its owner. */
export function withSignature(
  masterKey: Buffer,
  signerId: string,
  { keyId, signature }: { readonly keyId: string; readonly signature: string },
): Buffer {
  // The key ends with the braces of its signatures and of itself.
  const signaturesEnd = masterKey.length - 2;
  const isFirst = masterKey[signaturesEnd - 1] === "{".charCodeAt(0);
  const member = `${JSON.stringify(signerId)}:{${JSON.stringify(keyId)}:${JSON.stringify(signature)}}`;
  return Buffer.concat([
    masterKey.subarray(0, signaturesEnd),
    Buffer.from(isFirst ? member : `,${member}`),
    masterKey.subarray(signaturesEnd),
  ]);
}
