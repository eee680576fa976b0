import t from "tap";
import { auditLogStoreContract } from "../contract/audit-log.ts";
import { jobStoreContract } from "../contract/jobs.ts";
import { userListStoreContract } from "../contract/user-lists.ts";
import { freshDatabases } from "./testing/fresh-databases.ts";

const open = freshDatabases(t.testdir());

auditLogStoreContract(t, open);
jobStoreContract(t, open);
userListStoreContract(t, open);
