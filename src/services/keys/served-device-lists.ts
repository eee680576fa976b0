import { parseUserId, type ServerName, serverNameOf } from "../../protocol/identifiers.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { SignedText } from "../../storage/device-keys.ts";
import type { DeviceUpdateStore } from "../../storage/device-updates.ts";
import type { NameCache } from "../../storage/name-cache.ts";

/** Tells other servers the device lists of this server's users (server-server API, "Device Management"). */
export class ServedDeviceLists {
  readonly #store: Pick<DeviceUpdateStore, "listOf">;
  readonly #names: Pick<NameCache, "findUser">;
  readonly #serverName: ServerName;

  constructor(
    store: Pick<DeviceUpdateStore, "listOf">,
    names: Pick<NameCache, "findUser">,
    serverName: ServerName,
  ) {
    this.#store = store;
    this.#names = names;
    this.#serverName = serverName;
  }

  /**
   * A user's devices that have keys, as `GET /user/devices/{userId}` tells them.
   * @throws MatrixError M_INVALID_PARAM for what is no user of this server, M_NOT_FOUND for an unknown one.
   */
  async of(text: string): Promise<JsonObject> {
    const userId = parseUserId(text);
    if (!userId || serverNameOf(userId) !== this.#serverName) {
      throw new MatrixError("M_INVALID_PARAM", "Only users of this server have devices here");
    }
    const userNid = await this.#names.findUser(userId);
    if (userNid === undefined) throw new MatrixError("M_NOT_FOUND", "There is no such user");
    const { streamId, devices, crossSigning } = await this.#store.listOf(userNid);
    const keys = crossSigning.map((key) => [`${key.usage}_key`, signedObject(userId, key)]);
    return {
      user_id: userId,
      stream_id: streamId,
      devices: devices.map((device) => ({
        device_id: device.deviceId,
        keys: signedObject(userId, device),
        ...(device.displayName !== null && { device_display_name: device.displayName }),
      })),
      ...(Object.fromEntries(keys) as JsonObject),
    };
  }
}

/** A signed object as servers tell it to each other. */
export function signedObject(userId: string, { signed, signatures }: SignedText): JsonObject {
  const own = JSON.parse(signatures) as JsonObject;
  const all = Object.keys(own).length === 0 ? {} : { [userId]: own };
  return { ...(JSON.parse(signed) as JsonObject), signatures: all };
}
