import t from "tap";
import { delayedEventStoreContract } from "../contract/delayed-events.ts";
import { destinationStoreContract } from "../contract/destinations.ts";
import { membershipStoreContract } from "../contract/memberships.ts";
import { stickyEventStoreContract } from "../contract/sticky-events.ts";
import { threadSubscriptionStoreContract } from "../contract/thread-subscriptions.ts";
import { freshDatabases } from "./testing/fresh-databases.ts";

const open = freshDatabases(t.testdir());

membershipStoreContract(t, open);
delayedEventStoreContract(t, open);
threadSubscriptionStoreContract(t, open);
stickyEventStoreContract(t, open);
destinationStoreContract(t, open);
