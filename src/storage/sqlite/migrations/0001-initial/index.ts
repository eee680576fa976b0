import type { Migration } from "../migrate.ts";
import { accounts } from "./accounts.ts";
import { appservices } from "./appservices.ts";
import { auditLog } from "./audit-log.ts";
import { blockedRooms } from "./blocked-rooms.ts";
import { contacts } from "./contacts.ts";
import { delayedEvents } from "./delayed-events.ts";
import { discovery } from "./discovery.ts";
import { encryptionKeys } from "./encryption-keys.ts";
import { federation } from "./federation.ts";
import { jobs } from "./jobs.ts";
import { keyBackups } from "./key-backups.ts";
import { media } from "./media.ts";
import { names } from "./names.ts";
import { pushers } from "./pushers.ts";
import { receiptsAndPresence } from "./receipts-and-presence.ts";
import { redactionSweeps } from "./redaction-sweeps.ts";
import { reports } from "./reports.ts";
import { rooms } from "./rooms.ts";
import { signIn } from "./sign-in.ts";
import { serverNotices } from "./server-notices.ts";
import { slidingSync } from "./sliding-sync.ts";
import { stickyEvents } from "./sticky-events.ts";
import { threadSubscriptions } from "./thread-subscriptions.ts";
import { toDevice } from "./to-device.ts";
import { urlPreviews } from "./url-previews.ts";
import { userData } from "./user-data.ts";

/** The schema of the first release, one file an owner. */
export const initial: Migration = {
  version: 1,
  sql: [
    names,
    accounts,
    signIn,
    contacts,
    serverNotices,
    rooms,
    redactionSweeps,
    discovery,
    reports,
    userData,
    media,
    urlPreviews,
    encryptionKeys,
    federation,
    toDevice,
    keyBackups,
    receiptsAndPresence,
    slidingSync,
    pushers,
    appservices,
    delayedEvents,
    threadSubscriptions,
    stickyEvents,
    auditLog,
    blockedRooms,
    jobs,
  ].join("\n"),
};
