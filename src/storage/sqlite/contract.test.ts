import t from "tap";
import { accountStoreContract } from "../contract/accounts.ts";
import { deviceStoreContract } from "../contract/devices.ts";
import { openIdTokenStoreContract } from "../contract/openid-tokens.ts";
import { relationStoreContract } from "../contract/relations.ts";
import { redactionSweepStoreContract } from "../contract/redaction-sweeps.ts";
import { registrationTokenStoreContract } from "../contract/registration-tokens.ts";
import { sendTransactionStoreContract } from "../contract/send-transactions.ts";
import { sessionStoreContract } from "../contract/sessions.ts";
import { slidingSyncStoreContract } from "../contract/sliding-sync.ts";
import { timelineStoreContract } from "../contract/timeline.ts";
import { freshDatabases } from "./testing/fresh-databases.ts";

const open = freshDatabases(t.testdir());

accountStoreContract(t, open);
sessionStoreContract(t, open);
deviceStoreContract(t, open);
registrationTokenStoreContract(t, open);
openIdTokenStoreContract(t, open);
sendTransactionStoreContract(t, open);
timelineStoreContract(t, open);
relationStoreContract(t, open);
redactionSweepStoreContract(t, open);
slidingSyncStoreContract(t, open);
