import { dehydratedDeviceHandlers } from "../http/handlers/dehydrated-devices.ts";
import { encryptionKeyHandlers } from "../http/handlers/encryption-keys.ts";
import { keyBackupHandlers } from "../http/handlers/key-backup.ts";
import { sendToDeviceHandlers } from "../http/handlers/send-to-device.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { DehydratedDevices } from "../services/dehydrated-devices.ts";
import { KeyBackups } from "../services/key-backups.ts";
import { CrossSigning } from "../services/keys/cross-signing.ts";
import { KeyClaiming } from "../services/keys/key-claim.ts";
import { KeyQuery } from "../services/keys/key-query.ts";
import { KeySignatures } from "../services/keys/key-signatures.ts";
import { KeyUpload } from "../services/keys/key-upload.ts";
import { OneTimeKeyStatuses } from "../services/keys/one-time-key-status.ts";
import { PublicKeyCache } from "../services/keys/public-key-cache.ts";
import { ToDevice } from "../services/to-device.ts";
import { DeviceListStream } from "../sync/streams/device-lists.ts";
import type { AccountParts } from "./accounts.ts";
import type { Foundation } from "./foundation.ts";

export interface EncryptionParts {
  readonly toDevice: ToDevice;
  /** For sync, which asks with each answer. */
  readonly oneTimeKeys: OneTimeKeyStatuses;
  readonly handlers: readonly BoundEndpoint[];
}

/** What the server does for end-to-end encryption: keys, their backups, messages between devices. */
export function composeEncryption(
  foundation: Foundation,
  { interactive, crossSigningResets }: Pick<AccountParts, "interactive" | "crossSigningResets">,
): EncryptionParts {
  const { config, stores, names, notifier, clock, log } = foundation;
  const { deviceKeys, crossSigning } = stores;
  const serverName = config.server_name;
  const publicKeys = new PublicKeyCache(deviceKeys, names);
  const queries = new KeyQuery(publicKeys, crossSigning, serverName);
  const oneTimeKeys = new OneTimeKeyStatuses(deviceKeys);
  for (const { follow } of [publicKeys, queries, oneTimeKeys]) notifier.follow(follow);
  const toDevice = new ToDevice(stores.toDevice, names, serverName, clock, log);
  const keyServices = {
    uploads: new KeyUpload(deviceKeys),
    queries,
    claims: new KeyClaiming(deviceKeys, names, serverName),
    crossSigning: new CrossSigning(crossSigning),
    signatures: new KeySignatures(deviceKeys, crossSigning, names),
    deviceLists: new DeviceListStream(stores.deviceLists, names),
  };
  return {
    toDevice,
    oneTimeKeys,
    handlers: [
      ...encryptionKeyHandlers(keyServices, interactive, crossSigningResets),
      ...sendToDeviceHandlers(toDevice),
      ...dehydratedDeviceHandlers(new DehydratedDevices(stores.dehydratedDevices, stores.toDevice, clock)),
      ...keyBackupHandlers(new KeyBackups(stores.keyBackups)),
    ],
  };
}
