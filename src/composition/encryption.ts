import type { FederationSender } from "../federation/sending/federation-sender.ts";
import { dehydratedDeviceHandlers } from "../http/handlers/dehydrated-devices.ts";
import { encryptionKeyHandlers } from "../http/handlers/encryption-keys.ts";
import { serverKeyQueryHandlers } from "../http/handlers/federation/encryption-keys.ts";
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
import { ServedDeviceLists } from "../services/keys/served-device-lists.ts";
import { ToDevice } from "../services/to-device.ts";
import { DeviceListStream } from "../sync/streams/device-lists.ts";
import type { AccountParts } from "./accounts.ts";
import { composeRemoteEncryption, type RemoteEncryption } from "./federation/encryption.ts";
import type { FederationParts } from "./federation/parts.ts";
import type { Foundation } from "./foundation.ts";

export interface EncryptionParts {
  readonly toDevice: ToDevice;
  /** For sync, which asks with each answer. */
  readonly oneTimeKeys: OneTimeKeyStatuses;
  /** With other servers; absent where federation is off. */
  readonly remote: RemoteEncryption | undefined;
  readonly handlers: readonly BoundEndpoint[];
}

/** What the server does for end-to-end encryption: keys, their backups, messages between devices. */
export function composeEncryption(
  foundation: Foundation,
  { interactive, crossSigningResets }: Pick<AccountParts, "interactive" | "crossSigningResets">,
  parts: Pick<FederationParts, "client" | "policy">,
  sender: FederationSender | undefined,
): EncryptionParts {
  const { config, stores, names, notifier, clock, randomBytes, log } = foundation;
  const { deviceKeys, crossSigning } = stores;
  const serverName = config.server_name;
  const publicKeys = new PublicKeyCache(deviceKeys, names);
  const remote = sender && composeRemoteEncryption(foundation, parts, publicKeys);
  const queries = new KeyQuery(publicKeys, crossSigning, serverName, remote?.keys);
  const claims = new KeyClaiming(deviceKeys, names, serverName, remote?.keys);
  const served = new ServedDeviceLists(stores.deviceUpdates, names, serverName);
  const oneTimeKeys = new OneTimeKeyStatuses(deviceKeys);
  notifier.follow(["deviceLists", "deviceUpdates"], publicKeys.follow);
  notifier.follow(["deviceLists", "userSignatures"], queries.follow);
  notifier.follow(["oneTimeKeys"], oneTimeKeys.follow);
  const toDevice = new ToDevice({
    store: stores.toDevice,
    names,
    serverName,
    remote: sender,
    clock,
    randomBytes,
    log,
  });
  const keyServices = {
    uploads: new KeyUpload(deviceKeys),
    queries,
    claims,
    crossSigning: new CrossSigning(crossSigning),
    signatures: new KeySignatures(deviceKeys, crossSigning, names, remote?.keys),
    deviceLists: new DeviceListStream(stores.deviceLists, names),
  };
  return {
    toDevice,
    oneTimeKeys,
    remote,
    handlers: [
      ...(remote ? serverKeyQueryHandlers({ queries, claims, deviceLists: served }) : []),
      ...encryptionKeyHandlers(keyServices, interactive, crossSigningResets),
      ...sendToDeviceHandlers(toDevice),
      ...dehydratedDeviceHandlers(new DehydratedDevices(stores.dehydratedDevices, stores.toDevice, clock)),
      ...keyBackupHandlers(new KeyBackups(stores.keyBackups)),
    ],
  };
}
