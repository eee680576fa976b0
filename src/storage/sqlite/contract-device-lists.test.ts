import t from "tap";
import { deviceListStoreContract } from "../contract/device-lists.ts";
import { deviceUpdateStoreContract } from "../contract/device-updates.ts";
import { remoteDeviceListStoreContract } from "../contract/remote-device-lists.ts";
import { freshDatabases } from "./testing/fresh-databases.ts";

const open = freshDatabases(t.testdir());

deviceListStoreContract(t, open);
deviceUpdateStoreContract(t, open);
remoteDeviceListStoreContract(t, open);
