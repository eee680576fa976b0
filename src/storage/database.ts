import type { AccountDataStore } from "./account-data.ts";
import type { AccountStore } from "./accounts.ts";
import type { AppserviceStore } from "./appservices.ts";
import type { BrowserSessionStore } from "./browser-sessions.ts";
import type { ContactValidationStore } from "./contact-validations.ts";
import type { ContactStore } from "./contacts.ts";
import type { CrossSigningStore } from "./cross-signing.ts";
import type { DeliveryStore } from "./deliveries.ts";
import type { DehydratedDeviceStore } from "./dehydrated-devices.ts";
import type { DelayedEventStore } from "./delayed-events.ts";
import type { DeviceKeyStore } from "./device-keys.ts";
import type { DeviceListStore } from "./device-lists.ts";
import type { DeviceStore } from "./devices.ts";
import type { CommitStore } from "./commits.ts";
import type { EventStore } from "./events.ts";
import type { ExternalIdStore } from "./external-ids.ts";
import type { FilterStore } from "./filters.ts";
import type { KeyBackupStore } from "./key-backups.ts";
import type { MediaStore } from "./media.ts";
import type { MembershipStore } from "./memberships.ts";
import type { NameStore } from "./names.ts";
import type { OAuthSessionStore, OAuthStore } from "./oauth.ts";
import type { OpenIdTokenStore } from "./openid-tokens.ts";
import type { PositionStore } from "./positions.ts";
import type { PresenceStore } from "./presence.ts";
import type { ProfileStore } from "./profiles.ts";
import type { PushRuleStore } from "./push-rules.ts";
import type { PusherStore } from "./pushers.ts";
import type { ReceiptStore } from "./receipts.ts";
import type { RelationStore } from "./relations.ts";
import type { ReportStore } from "./reports.ts";
import type { RoomSummaryStore } from "./room-summaries.ts";
import type { RoomStore } from "./rooms.ts";
import type { SlidingSyncStore } from "./sliding-sync.ts";
import type { StateStore } from "./state.ts";
import type { RedactionSweepStore } from "./redaction-sweeps.ts";
import type { RegistrationTokenStore } from "./registration-tokens.ts";
import type { SearchIndex } from "./search-index.ts";
import type { ServerNoticeStore } from "./server-notices.ts";
import type { SessionStore } from "./sessions.ts";
import type { StickyEventStore } from "./sticky-events.ts";
import type { ThreadSubscriptionStore } from "./thread-subscriptions.ts";
import type { ThirdPartyInviteStore } from "./third-party-invites.ts";
import type { ToDeviceStore } from "./to-device.ts";
import type { UnreadCheckpointStore } from "./unread-checkpoints.ts";
import type { UrlPreviewStore } from "./url-previews.ts";
import type { UserDirectoryStore } from "./user-directory.ts";

/** Every store of a back end, by owner. */
export interface Stores {
  readonly names: NameStore;
  readonly commits: CommitStore;
  readonly redactionSweeps: RedactionSweepStore;
  readonly events: EventStore;
  readonly delayedEvents: DelayedEventStore;
  readonly stickyEvents: StickyEventStore;
  readonly memberships: MembershipStore;
  readonly relations: RelationStore;
  readonly rooms: RoomStore;
  readonly roomSummaries: RoomSummaryStore;
  readonly userDirectory: UserDirectoryStore;
  readonly reports: ReportStore;
  readonly state: StateStore;
  readonly accounts: AccountStore;
  readonly sessions: SessionStore;
  readonly devices: DeviceStore;
  readonly openIdTokens: OpenIdTokenStore;
  readonly registrationTokens: RegistrationTokenStore;
  readonly contacts: ContactStore;
  readonly externalIds: ExternalIdStore;
  readonly browserSessions: BrowserSessionStore;
  readonly oauth: OAuthStore;
  readonly oauthSessions: OAuthSessionStore;
  readonly contactValidations: ContactValidationStore;
  readonly deliveries: DeliveryStore;
  readonly thirdPartyInvites: ThirdPartyInviteStore;
  readonly serverNotices: ServerNoticeStore;
  readonly accountData: AccountDataStore;
  readonly filters: FilterStore;
  readonly pushRules: PushRuleStore;
  readonly pushers: PusherStore;
  readonly profiles: ProfileStore;
  readonly media: MediaStore;
  readonly urlPreviews: UrlPreviewStore;
  readonly deviceKeys: DeviceKeyStore;
  readonly crossSigning: CrossSigningStore;
  readonly dehydratedDevices: DehydratedDeviceStore;
  readonly deviceLists: DeviceListStore;
  readonly toDevice: ToDeviceStore;
  readonly receipts: ReceiptStore;
  readonly threadSubscriptions: ThreadSubscriptionStore;
  readonly unreadCheckpoints: UnreadCheckpointStore;
  readonly presence: PresenceStore;
  readonly positions: PositionStore;
  readonly keyBackups: KeyBackupStore;
  readonly slidingSync: SlidingSyncStore;
  readonly appservices: AppserviceStore;
}

/** An open database. `sqlite/` implements it; what another back end has to do is in `contract/`. */
export interface Database extends AsyncDisposable {
  readonly stores: Stores;
  readonly searchIndex: SearchIndex;
  /** Resolves when the database can no longer be written, for good: the process had better start anew. */
  readonly lost: Promise<Error>;
  /** Writes that wait for the next commit. */
  readonly waitingWrites: number;
}
