import t from "tap";
import { delayedEventStoreContract } from "../contract/delayed-events.ts";
import { stickyEventStoreContract } from "../contract/sticky-events.ts";
import { threadSubscriptionStoreContract } from "../contract/thread-subscriptions.ts";
import { freshDatabases } from "./testing/fresh-databases.ts";

const open = freshDatabases(t.testdir());

delayedEventStoreContract(t, open);
threadSubscriptionStoreContract(t, open);
stickyEventStoreContract(t, open);
