import { parseUserId, type ServerName, serverNameOf, type UserId } from "../../protocol/identifiers.ts";
import type { JsonObject, JsonValue } from "../../protocol/json.ts";
import type { PartialRooms } from "../../state/partial-rooms.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type {
  RemoteDeviceListStore,
  ToldDeviceUpdate,
  ToldOutcome,
} from "../../storage/remote-device-lists.ts";
import type { DeviceListResyncs } from "./device-list-resyncs.ts";
import { toldCrossSigning, toldDeviceKeys, toldDisplayName } from "./told-keys.ts";

export interface DeviceListReceiverParts {
  readonly store: Pick<RemoteDeviceListStore, "update" | "updateCrossSigning" | "noteEarly">;
  readonly names: Pick<NameCache, "findUser">;
  readonly resyncs: Pick<DeviceListResyncs, "wanted">;
  readonly partialRooms: Pick<PartialRooms, "all">;
}

const maxDeviceIdLength = 255;
/** A server that numbers its updates one after the other names one; more are told only by what is no server. */
const maxPrevIds = 100;

/** Takes what other servers tell of their users' devices (server-server API, "Device Management"). */
export class DeviceListReceiver {
  readonly #parts: DeviceListReceiverParts;

  constructor(parts: DeviceListReceiverParts) {
    this.#parts = parts;
  }

  /** Takes an `m.device_list_update` EDU. @throws StorageError */
  readonly receiveUpdate = async (origin: ServerName, content: JsonObject): Promise<void> => {
    const userId = ownerOf(origin, content);
    const { device_id: deviceId } = content;
    if (!userId || typeof deviceId !== "string" || deviceId.length > maxDeviceIdLength) return;
    const update = updateOf(userId, deviceId, content);
    await this.#take(origin, userId, (userNid) => this.#parts.store.update(userNid, origin, update));
  };

  /** Takes an `m.signing_key_update` EDU. @throws StorageError */
  readonly receiveSigningKeys = async (origin: ServerName, content: JsonObject): Promise<void> => {
    const userId = ownerOf(origin, content);
    if (!userId) return;
    const keys = toldCrossSigning(userId, content["master_key"], content["self_signing_key"]);
    const told = ["master_key", "self_signing_key"].filter((name) => content[name] !== undefined);
    // A self-signing key alone is as good as its master key, which is not told here.
    const isUnderstood = keys.length > 0 && keys.length === told.length;
    await this.#take(origin, userId, (userNid) =>
      this.#parts.store.updateCrossSigning(userNid, origin, isUnderstood ? keys : null),
    );
  };

  async #take(
    origin: ServerName,
    userId: UserId,
    store: (userNid: number) => Promise<ToldOutcome>,
  ): Promise<void> {
    const { names, resyncs, partialRooms } = this.#parts;
    // Who is not known here shares no room with anybody, as far as is known.
    const userNid = await names.findUser(userId);
    const outcome = userNid === undefined ? "unshared" : await store(userNid);
    if (outcome === "stale") resyncs.wanted(origin);
    if (partialRooms.all.length > 0) await this.#parts.store.noteEarly(userId, origin);
  }
}

/** "The user ID who owns this device": nobody else's but one of the server that sends. */
function ownerOf(origin: ServerName, { user_id: text }: JsonObject): UserId | undefined {
  const userId = typeof text === "string" ? parseUserId(text) : undefined;
  return userId && serverNameOf(userId) === origin ? userId : undefined;
}

function updateOf(userId: UserId, deviceId: string, content: JsonObject): ToldDeviceUpdate {
  const { stream_id: streamId, prev_id: prevIds, deleted, keys: json, device_display_name: name } = content;
  const hasKeys = deleted !== true && json !== undefined;
  const keys = hasKeys ? toldDeviceKeys(userId, deviceId, json) : undefined;
  const displayName = toldDisplayName(name);
  const isUnderstood = isStreamId(streamId) && (keys !== undefined || !hasKeys);
  // What is not understood cannot be applied: the whole list is asked for.
  if (!isUnderstood) return { deviceId, streamId: null, prevIds: [], keys: null, displayName };
  return { deviceId, streamId, prevIds: knownIds(prevIds), keys: keys ?? null, displayName };
}

function knownIds(prevIds: JsonValue | undefined): number[] {
  const isList = Array.isArray(prevIds) && prevIds.length <= maxPrevIds && prevIds.every(isStreamId);
  return isList ? prevIds : [];
}

function isStreamId(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value);
}
