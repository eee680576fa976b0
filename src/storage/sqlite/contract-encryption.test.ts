import t from "tap";
import { crossSigningStoreContract } from "../contract/cross-signing.ts";
import { dehydratedDeviceStoreContract } from "../contract/dehydrated-devices.ts";
import { deviceKeyStoreContract } from "../contract/device-keys.ts";
import { deviceListStoreContract } from "../contract/device-lists.ts";
import { deviceUpdateStoreContract } from "../contract/device-updates.ts";
import { keyBackupStoreContract } from "../contract/key-backups.ts";
import { remoteDeviceListStoreContract } from "../contract/remote-device-lists.ts";
import { toDeviceStoreContract } from "../contract/to-device.ts";
import { freshDatabases } from "./testing/fresh-databases.ts";

const open = freshDatabases(t.testdir());

deviceKeyStoreContract(t, open);
dehydratedDeviceStoreContract(t, open);
crossSigningStoreContract(t, open);
deviceListStoreContract(t, open);
deviceUpdateStoreContract(t, open);
remoteDeviceListStoreContract(t, open);
toDeviceStoreContract(t, open);
keyBackupStoreContract(t, open);
