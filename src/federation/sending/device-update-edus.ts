import type { JsonObject } from "../../protocol/json.ts";
import { signedObject } from "../../services/keys/served-device-lists.ts";
import type { CrossSigningKey } from "../../storage/device-keys.ts";
import type { DeviceUpdate, DeviceUpdateStore } from "../../storage/device-updates.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { Edu } from "./transaction-text.ts";

/** What a server has to be told of users' devices. */
export interface DeviceListNews {
  readonly edus: readonly Edu[];
  /** Everything up to here has been told once these have been sent. */
  readonly upTo: number;
  /** Whether there is more. */
  readonly isPart: boolean;
}

/** Each may become two EDUs, of a hundred that fit into a transaction. */
const maxUpdates = 20;

/** Makes the EDUs that tell other servers of users' devices (server-server API, "Device Management"). */
export class DeviceUpdateEdus {
  readonly #store: Pick<DeviceUpdateStore, "forServer">;
  readonly #names: Pick<NameCache, "userId">;

  constructor(store: Pick<DeviceUpdateStore, "forServer">, names: Pick<NameCache, "userId">) {
    this.#store = store;
    this.#names = names;
  }

  /** What a server has to be told that happened after a position, up to another. @throws StorageError */
  async after(serverName: string, position: number, upTo: number): Promise<DeviceListNews> {
    const { updates, lookedUpTo } = await this.#store.forServer(serverName, position, upTo, maxUpdates);
    const edus: Edu[] = [];
    for (const update of updates) {
      edus.push(...edusOf(await this.#names.userId(update.userNid), update));
    }
    return { edus, upTo: lookedUpTo ?? upTo, isPart: lookedUpTo !== null };
  }
}

function edusOf(userId: string, update: DeviceUpdate): Edu[] {
  if (update.deviceId !== null) {
    const content = updateContent(userId, update.deviceId, update);
    return [{ type: "m.device_list_update", content }];
  }
  const content = signingKeyContent(userId, update.crossSigning);
  // Servers from before the type had its name take the other only; those that know both do nothing the second time.
  return ["m.signing_key_update", "org.matrix.signing_key_update"].map((type) => ({ type, content }));
}

function updateContent(
  userId: string,
  deviceId: string,
  { position, previous, isDeleted, displayName, keys }: DeviceUpdate,
): JsonObject {
  return {
    user_id: userId,
    device_id: deviceId,
    stream_id: position,
    prev_id: previous === null ? [] : [previous],
    ...(isDeleted && { deleted: true }),
    ...(displayName !== null && { device_display_name: displayName }),
    ...(keys && { keys: signedObject(userId, keys) }),
  };
}

function signingKeyContent(userId: string, keys: readonly CrossSigningKey[]): JsonObject {
  const members = keys.map((key) => [`${key.usage}_key`, signedObject(userId, key)]);
  return { user_id: userId, ...(Object.fromEntries(members) as JsonObject) };
}
