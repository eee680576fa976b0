import t from "tap";
import { keyBackupStoreContract } from "../contract/key-backups.ts";
import { dehydratedDeviceStoreContract } from "../contract/dehydrated-devices.ts";
import { freshDatabases } from "./testing/fresh-databases.ts";

const open = freshDatabases(t.testdir());

keyBackupStoreContract(t, open);
dehydratedDeviceStoreContract(t, open);
