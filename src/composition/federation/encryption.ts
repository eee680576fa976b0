import { DeviceListReceiver } from "../../federation/encryption/device-list-receiver.ts";
import { DeviceListResyncs } from "../../federation/encryption/device-list-resyncs.ts";
import { RemoteDeviceLists } from "../../federation/encryption/remote-device-lists.ts";
import { RemoteKeyQueries } from "../../federation/encryption/remote-key-queries.ts";
import { ToDeviceReceiver } from "../../federation/encryption/to-device-receiver.ts";
import { UnknownDevices } from "../../federation/encryption/unknown-devices.ts";
import type { EduReceiver } from "../../federation/inbound/edu-receivers.ts";
import { KeyRequests } from "../../federation/requests/key-requests.ts";
import type { RoomEvent } from "../../protocol/pdu.ts";
import type { PublicKeyCache } from "../../services/keys/public-key-cache.ts";
import type { RemoteKeys } from "../../services/keys/remote-keys.ts";
import { randomFraction } from "../../telemetry/random.ts";
import type { Foundation } from "../foundation.ts";
import type { FederationParts } from "./parts.ts";

/** End-to-end encryption between servers. */
export interface RemoteEncryption extends AsyncDisposable {
  readonly keys: RemoteKeys;
  /** What is taken from other servers, by the types of their EDUs. */
  readonly edus: ReadonlyMap<string, EduReceiver>;
  /** To be called with each new event of another server in a room. */
  readonly received: (event: RoomEvent) => Promise<void>;
  /** Takes up what was left when the server stopped. */
  resume(): Promise<void>;
}

export function composeRemoteEncryption(
  { config, stores, names, clock, randomBytes, log, heardServers, partialRooms }: Foundation,
  { client, policy }: Pick<FederationParts, "client" | "policy">,
  publicKeys: PublicKeyCache,
): RemoteEncryption {
  const store = stores.remoteDeviceLists;
  const requests = new KeyRequests(client);
  const lists = new RemoteDeviceLists(requests, store);
  const random = () => randomFraction(randomBytes);
  const resyncs = new DeviceListResyncs({ lists, store, names, policy, clock, random, log });
  heardServers.follow((server) => resyncs.heard(server));
  const deviceLists = new DeviceListReceiver({ store, names, resyncs, partialRooms });
  const toDevice = new ToDeviceReceiver({
    ownName: config.server_name,
    store: stores.toDevice,
    names,
    clock,
    log,
  });
  return {
    keys: new RemoteKeyQueries({
      requests,
      lists,
      store,
      publicKeys,
      names,
      policy,
      resyncs,
      heard: heardServers,
      clock,
    }),
    edus: new Map([
      ["m.direct_to_device", toDevice.receive],
      ["m.device_list_update", deviceLists.receiveUpdate],
      ["m.signing_key_update", deviceLists.receiveSigningKeys],
      ["org.matrix.signing_key_update", deviceLists.receiveSigningKeys],
    ]),
    received: new UnknownDevices({ store, names, resyncs, clock }).received,
    resume: () => resyncs.resume(),
    [Symbol.asyncDispose]: () => resyncs[Symbol.asyncDispose](),
  };
}
