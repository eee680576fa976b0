import type { DeviceKeysJson } from "../api/client/encryption-keys.ts";
import type { Requester } from "../auth/requester.ts";
import type { JsonObject } from "../protocol/json.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { DehydratedDevice, DehydratedDeviceStore } from "../storage/dehydrated-devices.ts";
import type { ToDeviceStore } from "../storage/to-device.ts";
import type { Clock } from "../telemetry/clock.ts";
import { streamToken, parseStreamToken } from "../timeline/stream-token.ts";
import { checkedDeviceId, checkedDeviceName } from "./accounts/new-session.ts";
import { checkedKeys, countsOf, type KeyUploadJson } from "./keys/key-upload.ts";

/** A device as its user uploads it. */
export interface DehydratedDeviceJson extends KeyUploadJson {
  readonly device_id: string;
  readonly device_data: JsonObject;
  readonly initial_device_display_name?: string | null;
  readonly device_keys: DeviceKeysJson;
}

/** What waits for the device. */
export interface DehydratedMessages {
  /** Events as JSON. */
  readonly events: readonly string[];
  /** Where the next page begins. */
  readonly nextBatch: string;
  readonly hasMore: boolean;
}

/** A pickled account with a hundred one-time keys takes five thousand. */
const maxDataBytes = 64 * 1024;
const pageSize = 100;

/**
 * Devices that get keys of conversations while their user has no session (MSC3814): encrypted by the user, stored here,
 * and read by the user's next session.
 */
export class DehydratedDevices {
  readonly #store: DehydratedDeviceStore;
  readonly #toDevice: ToDeviceStore;
  readonly #clock: Clock;

  constructor(store: DehydratedDeviceStore, toDevice: ToDeviceStore, clock: Clock) {
    this.#store = store;
    this.#toDevice = toDevice;
    this.#clock = clock;
  }

  /** @throws MatrixError M_NOT_FOUND, by which clients know that the server supports these devices. */
  async get({ userNid }: Requester): Promise<DehydratedDevice> {
    const device = await this.#store.find(userNid);
    if (device) return device;
    throw noDevice();
  }

  /**
   * Stores a device in place of the one before.
   * @throws MatrixError M_BAD_JSON, M_INVALID_PARAM, M_TOO_LARGE, M_UNKNOWN for a one-time key whose ID is taken.
   */
  async put({ userNid, userId }: Requester, body: DehydratedDeviceJson): Promise<void> {
    const deviceId = checkedDeviceId(body.device_id);
    const deviceData = JSON.stringify(body.device_data);
    if (Buffer.byteLength(deviceData) > maxDataBytes) {
      throw new MatrixError("M_TOO_LARGE", `device_data may have at most ${maxDataBytes} bytes`);
    }
    const keys = checkedKeys({ userId, deviceId }, body);
    if (keys.oneTimeKeys.length > keys.maxOneTimeKeys) {
      throw new MatrixError("M_TOO_LARGE", `A device may have at most ${keys.maxOneTimeKeys} one-time keys`);
    }
    const outcome = await this.#store.put(userNid, {
      deviceId,
      deviceData,
      displayName: checkedDeviceName(body.initial_device_display_name ?? "Dehydrated device"),
      createdTs: this.#clock.nowMs(),
      keys,
    });
    if (!outcome.stored && outcome.reason === "is-session") {
      throw new MatrixError("M_INVALID_PARAM", "device_id is that of another device of yours");
    }
    countsOf(outcome);
  }

  /**
   * @returns the ID of the device that was removed
   * @throws MatrixError M_NOT_FOUND.
   */
  async remove({ userNid }: Requester): Promise<string> {
    const deviceId = await this.#store.remove(userNid);
    if (deviceId === undefined) throw noDevice();
    return deviceId;
  }

  /**
   * A page of the messages that wait for the device. They stay until the device goes: a session that reads them may be
   * gone before it has used them.
   * @param from where the page before ended
   * @throws MatrixError M_FORBIDDEN for a device that is not the dehydrated one, M_INVALID_PARAM, M_NOT_FOUND.
   */
  async messages(
    requester: Requester,
    deviceId: string,
    from: string | undefined,
  ): Promise<DehydratedMessages> {
    const after = from === undefined ? 0 : parseStreamToken(from, "The token of the page");
    const device = await this.get(requester);
    if (device.deviceId !== deviceId) {
      throw new MatrixError("M_FORBIDDEN", "This is not your dehydrated device");
    }
    const upTo = Number.MAX_SAFE_INTEGER;
    const found = await this.#toDevice.messagesFor(requester.userNid, deviceId, after, upTo, pageSize + 1);
    const page = found.slice(0, pageSize);
    return {
      events: page.map(({ event }) => event),
      nextBatch: streamToken(page.at(-1)?.position ?? after),
      hasMore: found.length > pageSize,
    };
  }
}

function noDevice(): MatrixError {
  return new MatrixError("M_NOT_FOUND", "You have no dehydrated device");
}
