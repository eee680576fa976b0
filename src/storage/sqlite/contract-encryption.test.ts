import { mkdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { crossSigningStoreContract } from "../contract/cross-signing.ts";
import { deviceKeyStoreContract } from "../contract/device-keys.ts";
import { deviceListStoreContract } from "../contract/device-lists.ts";
import { keyBackupStoreContract } from "../contract/key-backups.ts";
import { toDeviceStoreContract } from "../contract/to-device.ts";
import type { Database } from "../database.ts";
import { openSqliteDatabase } from "./open.ts";

function failOnFault(error: unknown): never {
  throw error;
}

const folder = t.testdir();
let opened = 0;

/** Each test has a database of its own. */
function open(): Promise<Database> {
  opened += 1;
  const own = join(folder, String(opened));
  mkdirSync(own);
  return openSqliteDatabase(own, () => undefined, failOnFault);
}

deviceKeyStoreContract(t, open);
crossSigningStoreContract(t, open);
deviceListStoreContract(t, open);
toDeviceStoreContract(t, open);
keyBackupStoreContract(t, open);
