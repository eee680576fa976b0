import t from "tap";
import { accountDataStoreContract } from "../contract/account-data.ts";
import { filterStoreContract } from "../contract/filters.ts";
import { profileStoreContract } from "../contract/profiles.ts";
import { pushRuleStoreContract } from "../contract/push-rules.ts";
import { pusherStoreContract } from "../contract/pushers.ts";
import { receiptStoreContract } from "../contract/receipts.ts";
import { presenceStoreContract } from "../contract/presence.ts";
import { unreadCheckpointStoreContract } from "../contract/unread-checkpoints.ts";
import { freshDatabases } from "./testing/fresh-databases.ts";

const open = freshDatabases(t.testdir());

accountDataStoreContract(t, open);
filterStoreContract(t, open);
profileStoreContract(t, open);
pushRuleStoreContract(t, open);
pusherStoreContract(t, open);
receiptStoreContract(t, open);
presenceStoreContract(t, open);
unreadCheckpointStoreContract(t, open);
