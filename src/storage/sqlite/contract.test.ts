import { mkdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { accountStoreContract } from "../contract/accounts.ts";
import { accountDataStoreContract } from "../contract/account-data.ts";
import { deviceStoreContract } from "../contract/devices.ts";
import { filterStoreContract } from "../contract/filters.ts";
import { mediaStoreContract } from "../contract/media.ts";
import { membershipStoreContract } from "../contract/memberships.ts";
import { presenceStoreContract } from "../contract/presence.ts";
import { profileStoreContract } from "../contract/profiles.ts";
import { pushRuleStoreContract } from "../contract/push-rules.ts";
import { relationStoreContract } from "../contract/relations.ts";
import { pusherStoreContract } from "../contract/pushers.ts";
import { receiptStoreContract } from "../contract/receipts.ts";
import { registrationTokenStoreContract } from "../contract/registration-tokens.ts";
import { sendTransactionStoreContract } from "../contract/send-transactions.ts";
import { sessionStoreContract } from "../contract/sessions.ts";
import { slidingSyncStoreContract } from "../contract/sliding-sync.ts";
import { timelineStoreContract } from "../contract/timeline.ts";
import { unreadCheckpointStoreContract } from "../contract/unread-checkpoints.ts";
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

accountStoreContract(t, open);
sessionStoreContract(t, open);
deviceStoreContract(t, open);
registrationTokenStoreContract(t, open);
accountDataStoreContract(t, open);
filterStoreContract(t, open);
mediaStoreContract(t, open);
profileStoreContract(t, open);
pushRuleStoreContract(t, open);
pusherStoreContract(t, open);
receiptStoreContract(t, open);
presenceStoreContract(t, open);
unreadCheckpointStoreContract(t, open);
membershipStoreContract(t, open);
sendTransactionStoreContract(t, open);
timelineStoreContract(t, open);
relationStoreContract(t, open);
slidingSyncStoreContract(t, open);
