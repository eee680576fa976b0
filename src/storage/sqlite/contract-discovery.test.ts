import t from "tap";
import { reportStoreContract } from "../contract/reports.ts";
import { roomNamesStoreContract } from "../contract/room-names.ts";
import { roomOverviewStoreContract } from "../contract/room-overviews.ts";
import { roomSummaryStoreContract } from "../contract/room-summaries.ts";
import { userDirectoryStoreContract } from "../contract/user-directory.ts";
import { freshDatabases } from "./testing/fresh-databases.ts";

const open = freshDatabases(t.testdir());

roomSummaryStoreContract(t, open);
roomOverviewStoreContract(t, open);
roomNamesStoreContract(t, open);
userDirectoryStoreContract(t, open);
reportStoreContract(t, open);
