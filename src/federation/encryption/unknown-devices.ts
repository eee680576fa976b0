import { TokenBuckets } from "../../auth/token-buckets.ts";
import { serverNameOf } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonValue } from "../../protocol/json.ts";
import type { RoomEvent } from "../../protocol/pdu.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { RemoteDeviceListStore } from "../../storage/remote-device-lists.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { DeviceListResyncs } from "./device-list-resyncs.ts";
import { memberOf } from "./told-keys.ts";

export interface UnknownDevicesParts {
  readonly store: Pick<RemoteDeviceListStore, "currentDevice" | "update">;
  readonly names: Pick<NameCache, "findUser">;
  readonly resyncs: Pick<DeviceListResyncs, "wanted">;
  readonly clock: Clock;
}

/** Of one user: somebody may write of a new device with each message. */
const doubtsOfUser = { burst: 5, perSecond: 1 / 60 };
const maxDeviceIdLength = 255;

/**
 * Sees by encrypted messages that an update of their sender's devices has been missed: whoever writes to devices that are
 * not known here would leave them out.
 */
export class UnknownDevices {
  readonly #parts: UnknownDevicesParts;
  readonly #doubts: TokenBuckets;

  constructor(parts: UnknownDevicesParts) {
    this.#parts = parts;
    this.#doubts = new TokenBuckets(doubtsOfUser, parts.clock);
  }

  /**
   * To be called with each new event of another server in a room. Messages may tell of their device ("Deprecated" but sent:
   * client-server API, `m.room.encrypted`); where it is not in a list that seemed to be current, the list is asked for.
   * @throws StorageError
   */
  readonly received = async ({ type, sender, content }: RoomEvent): Promise<void> => {
    const { device_id: deviceId, sender_key: senderKey } = content;
    if (type !== "m.room.encrypted" || typeof deviceId !== "string" || deviceId.length > maxDeviceIdLength)
      return;
    const { store, names, resyncs } = this.#parts;
    const userNid = await names.findUser(sender);
    const known = userNid === undefined ? undefined : await store.currentDevice(userNid, deviceId);
    if (userNid === undefined || !known || isOf(known.signed, deviceId, senderKey)) return;
    if (this.#doubts.take(sender) > 0) return;
    const server = serverNameOf(sender);
    const unread = { deviceId, streamId: null, prevIds: [], keys: null, displayName: null };
    if ((await store.update(userNid, server, unread)) === "stale") resyncs.wanted(server);
  };
}

/** Whether a key is that of a device, by the device's signed keys. */
function isOf(signed: string | null, deviceId: string, senderKey: JsonValue | undefined): boolean {
  if (signed === null) return false;
  if (senderKey === undefined) return true;
  const device = JSON.parse(signed) as JsonValue;
  return isJsonObject(device) && memberOf(device["keys"], `curve25519:${deviceId}`) === senderKey;
}
