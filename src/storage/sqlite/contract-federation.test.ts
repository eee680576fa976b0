import t from "tap";
import { federationInboxStoreContract } from "../contract/federation-inbox.ts";
import { nameStoreContract } from "../contract/names.ts";
import { partialRoomStoreContract } from "../contract/partial-rooms.ts";
import { freshDatabases } from "./testing/fresh-databases.ts";

const open = freshDatabases(t.testdir());

federationInboxStoreContract(t, open);
nameStoreContract(t, open);
partialRoomStoreContract(t, open);
