import type { Stores } from "../../database.ts";
import type { OperationTable, StoreOperations } from "../engine/operations.ts";
import { accountDataOperations } from "./account-data.ts";
import { accountOperations } from "./accounts.ts";
import { appserviceOperations } from "./appservices.ts";
import { auditLogOperations } from "./audit-log.ts";
import { blockedRoomOperations } from "./blocked-rooms.ts";
import { contactValidationOperations } from "./contact-validations.ts";
import { contactOperations } from "./contacts.ts";
import { crossSigningOperations } from "./cross-signing.ts";
import { deliveryOperations } from "./deliveries.ts";
import { dehydratedDeviceOperations } from "./dehydrated-devices.ts";
import { delayedEventOperations } from "./delayed-events.ts";
import { destinationOperations } from "./destinations.ts";
import { deviceKeyOperations } from "./device-keys.ts";
import { deviceListOperations } from "./device-lists.ts";
import { deviceUpdateOperations } from "./device-updates.ts";
import { deviceOperations } from "./devices.ts";
import { browserSessionOperations } from "./browser-sessions.ts";
import { commitOperations } from "./commits.ts";
import { eventOperations } from "./events.ts";
import { federationInboxOperations } from "./federation-inbox.ts";
import { externalIdOperations } from "./external-ids.ts";
import { filterOperations } from "./filters.ts";
import { jobOperations } from "./jobs.ts";
import { keyBackupOperations } from "./key-backups.ts";
import { mediaOperations } from "./media.ts";
import { membershipOperations } from "./memberships.ts";
import { nameOperations } from "./names.ts";
import { oauthOperations } from "./oauth.ts";
import { oauthSessionOperations } from "./oauth-sessions.ts";
import { openIdTokenOperations } from "./openid-tokens.ts";
import { partialRoomOperations } from "./partial-rooms.ts";
import { positionOperations } from "./positions.ts";
import { presenceOperations } from "./presence.ts";
import { profileOperations } from "./profiles.ts";
import { pushRuleOperations } from "./push-rules.ts";
import { pusherOperations } from "./pushers.ts";
import { receiptOperations } from "./receipts.ts";
import { redactionSweepOperations } from "./redaction-sweeps.ts";
import { relationOperations } from "./relations.ts";
import { remoteDeviceListOperations } from "./remote-device-lists.ts";
import { remoteMediaOperations } from "./remote-media.ts";
import { reportOperations } from "./reports.ts";
import { historyPurgeOperations } from "./history-purges.ts";
import { roomRemovalOperations } from "./room-removals.ts";
import { snapshotCollectionOperations } from "./snapshot-collection.ts";
import { roomOverviewOperations } from "./room-overviews.ts";
import { roomSummaryOperations } from "./room-summaries.ts";
import { roomOperations } from "./rooms.ts";
import { slidingSyncOperations } from "./sliding-sync.ts";
import { stateOperations } from "./state.ts";
import { registrationTokenOperations } from "./registration-tokens.ts";
import { serverNoticeOperations } from "./server-notices.ts";
import { serverKeyOperations } from "./server-keys.ts";
import { sessionOperations } from "./sessions.ts";
import { stickyEventOperations } from "./sticky-events.ts";
import { threadSubscriptionOperations } from "./thread-subscriptions.ts";
import { thirdPartyInviteOperations } from "./third-party-invites.ts";
import { toDeviceOperations } from "./to-device.ts";
import { unreadCheckpointOperations } from "./unread-checkpoints.ts";
import { urlPreviewOperations } from "./url-previews.ts";
import { userDirectoryOperations } from "./user-directory.ts";
import { userListOperations } from "./user-lists.ts";

/** The operations of every store. */
export const stores: { readonly [Name in keyof Stores]: StoreOperations<Stores[Name]> } = {
  names: nameOperations,
  commits: commitOperations,
  redactionSweeps: redactionSweepOperations,
  events: eventOperations,
  delayedEvents: delayedEventOperations,
  stickyEvents: stickyEventOperations,
  memberships: membershipOperations,
  relations: relationOperations,
  rooms: roomOperations,
  roomRemovals: roomRemovalOperations,
  historyPurges: historyPurgeOperations,
  snapshotCollection: snapshotCollectionOperations,
  blockedRooms: blockedRoomOperations,
  partialRooms: partialRoomOperations,
  roomSummaries: roomSummaryOperations,
  roomOverviews: roomOverviewOperations,
  userDirectory: userDirectoryOperations,
  userLists: userListOperations,
  reports: reportOperations,
  state: stateOperations,
  accounts: accountOperations,
  sessions: sessionOperations,
  devices: deviceOperations,
  openIdTokens: openIdTokenOperations,
  registrationTokens: registrationTokenOperations,
  externalIds: externalIdOperations,
  browserSessions: browserSessionOperations,
  oauth: oauthOperations,
  oauthSessions: oauthSessionOperations,
  contacts: contactOperations,
  contactValidations: contactValidationOperations,
  deliveries: deliveryOperations,
  thirdPartyInvites: thirdPartyInviteOperations,
  serverNotices: serverNoticeOperations,
  accountData: accountDataOperations,
  destinations: destinationOperations,
  federationInbox: federationInboxOperations,
  serverKeys: serverKeyOperations,
  filters: filterOperations,
  pushRules: pushRuleOperations,
  pushers: pusherOperations,
  profiles: profileOperations,
  media: mediaOperations,
  remoteMedia: remoteMediaOperations,
  urlPreviews: urlPreviewOperations,
  deviceKeys: deviceKeyOperations,
  dehydratedDevices: dehydratedDeviceOperations,
  crossSigning: crossSigningOperations,
  deviceLists: deviceListOperations,
  deviceUpdates: deviceUpdateOperations,
  remoteDeviceLists: remoteDeviceListOperations,
  toDevice: toDeviceOperations,
  receipts: receiptOperations,
  threadSubscriptions: threadSubscriptionOperations,
  unreadCheckpoints: unreadCheckpointOperations,
  presence: presenceOperations,
  positions: positionOperations,
  keyBackups: keyBackupOperations,
  slidingSync: slidingSyncOperations,
  appservices: appserviceOperations,
  auditLog: auditLogOperations,
  jobs: jobOperations,
};

/** The same, as the workers look them up. */
export const operationTable = stores as unknown as OperationTable;
