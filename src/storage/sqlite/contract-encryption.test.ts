import t from "tap";
import { crossSigningStoreContract } from "../contract/cross-signing.ts";
import { deviceKeyStoreContract } from "../contract/device-keys.ts";
import { toDeviceStoreContract } from "../contract/to-device.ts";
import { freshDatabases } from "./testing/fresh-databases.ts";

const open = freshDatabases(t.testdir());

deviceKeyStoreContract(t, open);
crossSigningStoreContract(t, open);
toDeviceStoreContract(t, open);
