import { accessSync, constants, mkdirSync } from "node:fs";
import type { EndpointDeclaration } from "./api/endpoint.ts";
import { placeRestoredFiles } from "./backup/restored-files.ts";
import { composeAccounts, composeRegistration } from "./composition/accounts.ts";
import { composeAdministration } from "./composition/administration.ts";
import { composeAppserviceParts, composeAppservices } from "./composition/appservices.ts";
import { composeAuditLog } from "./composition/audit-log.ts";
import { composeCalls } from "./composition/calls.ts";
import { composeContacts } from "./composition/contacts.ts";
import { composeDiscovery, composeRemoteUserFollower } from "./composition/discovery.ts";
import { composeEncryption } from "./composition/encryption.ts";
import { composeEphemeral } from "./composition/ephemeral.ts";
import { composeFederatedEphemeral } from "./composition/federation/ephemeral.ts";
import { composeFederation } from "./composition/federation/federation.ts";
import { composeFederationParts } from "./composition/federation/parts.ts";
import { composeRemoteHistory } from "./composition/federation/history.ts";
import { composeFederationSending } from "./composition/federation/sending.ts";
import { composeForkMerges } from "./composition/fork-merges.ts";
import { composeFoundation, type Foundation } from "./composition/foundation.ts";
import { composeProfiles, composeUserData } from "./composition/user-data.ts";
import { composeReading } from "./composition/reading.ts";
import { composeSignIn } from "./composition/sign-in.ts";
import { composeSync } from "./composition/sync.ts";
import { composeThreadSubscriptions } from "./composition/thread-subscriptions.ts";
import { composeTimeline } from "./composition/timeline.ts";
import { composeLegacySync } from "./composition/legacy-sync.ts";
import { composeMedia } from "./composition/media.ts";
import { composeMonitoring } from "./composition/monitoring.ts";
import { composeNotifications } from "./composition/notifications.ts";
import { composeRedactionSweeps } from "./composition/redaction-sweeps.ts";
import { composeRendezvous } from "./composition/rendezvous.ts";
import { composeReports } from "./composition/reports.ts";
import { composePush } from "./composition/push.ts";
import { composeRoomUpgrades } from "./composition/room-upgrades.ts";
import { composeRooms } from "./composition/rooms.ts";
import { composeSnapshotCollection } from "./composition/snapshot-collection.ts";
import { composeServerNotices } from "./composition/server-notices.ts";
import { composeSending } from "./composition/sending.ts";
import { composeSearch } from "./composition/search.ts";
import type { Config, ListenerConfig } from "./config/schema.ts";
import { StartupError } from "./config/startup-error.ts";
import type { EduReceiver } from "./federation/inbound/edu-receivers.ts";
import { createApp } from "./http/app.ts";
import { TrustedProxies } from "./http/client-address.ts";
import { serverHandlers } from "./http/handlers/server.ts";
import { Listener } from "./http/listener.ts";
import type { BoundEndpoint, PipelineParts } from "./http/pipeline.ts";
import { LiveMemberships } from "./notifier/live-memberships.ts";
import { Notifier } from "./notifier/notifier.ts";
import { nothingBefore } from "./admin/audit-log.ts";
import type { Database } from "./storage/database.ts";
import type { CommitListener } from "./storage/streams.ts";
import { NewerDatabaseError } from "./storage/sqlite/migrations/migrate.ts";
import { databaseCompanions, openSqliteDatabase } from "./storage/sqlite/open.ts";
import { systemClock } from "./telemetry/clock.ts";
import type { Logger } from "./telemetry/log.ts";
import { type CommitObservation, Observations } from "./telemetry/observations.ts";
import { systemRandomBytes } from "./telemetry/random.ts";

export interface HearthServer extends AsyncDisposable {
  /** Where the listeners can be reached, once they listen. */
  readonly addresses: readonly { readonly url: string; readonly apis: readonly string[] }[];
  /** Resolves when the server can no longer do its work: only a new start helps. */
  readonly lost: Promise<Error>;
  /** @throws StartupError when a port cannot be used. */
  listen(): Promise<void>;
}

/**
 * The composition root: makes every part and hands it what it needs. Nothing is served before `listen`.
 * @throws StartupError
 */
export async function createServer(config: Config, log: Logger): Promise<HearthServer> {
  // Whatever has been opened is closed again, in reverse order, when a later part cannot be made.
  await using opened = new AsyncDisposableStack();
  const clock = systemClock;
  const observations = new Observations();
  const storage = await openStorage(config, log, { commits: observations.commits, clock });
  opened.use(storage.database);
  const appservices = opened.use(composeAppserviceParts(config, storage.database.stores, { clock, log }));
  const auditLog = opened.use(composeAuditLog(config, storage.database.stores, { clock, log }));
  const foundation = await composeFoundation({
    ...storage,
    config,
    log,
    clock,
    randomBytes: systemRandomBytes,
    appservices,
    auditLog,
    observations,
  });
  const federationParts = opened.use(composeFederationParts(foundation));
  const userData = composeUserData(foundation);
  const timeline = await composeTimeline(foundation, userData);
  const sender = opened.use(composeFederationSending(foundation, federationParts, timeline.timelines));
  const contacts = opened.use(composeContacts(foundation));
  const accounts = opened.use(composeAccounts(foundation, userData, contacts));
  const signIn = opened.use(composeSignIn(foundation, accounts));
  const media = opened.use(await composeMedia(foundation));
  const rooms = opened.use(composeRooms(foundation, userData, contacts, federationParts.remote));
  opened.use(composeRedactionSweeps(foundation));
  opened.use(composeSnapshotCollection(foundation));
  const merges = opened.use(composeForkMerges(foundation));
  const sending = opened.use(composeSending(foundation, rooms, accounts.rateLimiter));
  const encryption = composeEncryption(foundation, accounts, federationParts, sender);
  const history = composeRemoteHistory(foundation, federationParts);
  const reading = composeReading(foundation, timeline, userData, history);
  const search = opened.use(
    composeSearch(foundation, storage.database.searchIndex, { timeline, reading, rooms }),
  );
  opened.use(composeRemoteUserFollower(foundation));
  const ephemeral = opened.use(await composeEphemeral(foundation, rooms.access));
  const threads = composeThreadSubscriptions(foundation, timeline);
  const notifications = opened.use(composeNotifications(foundation, timeline, userData, threads));
  const push = opened.use(
    await composePush(foundation, { timeline, userData, rooms, notifications, threads }),
  );
  const sync = composeSync(foundation, {
    timeline,
    userData,
    encryption,
    ephemeral: ephemeral.ephemeral,
    unread: notifications.unread,
    presence: ephemeral.presence,
    threads,
  });
  const bridges = opened.use(
    await composeAppservices(foundation, { timeline, ephemeral, access: rooms.access }),
  );
  const federatedEphemeral = opened.use(
    composeFederatedEphemeral(foundation, federationParts, ephemeral.observed, sender),
  );
  const remoteEncryption = opened.use(encryption.remote);
  const edus = new Map<string, EduReceiver>([...federatedEphemeral.edus, ...(remoteEncryption?.edus ?? [])]);
  const federation = opened.use(
    composeFederation(foundation, federationParts, {
      timeline,
      rooms,
      profiles: userData.profiles,
      sender,
      ephemeral: federatedEphemeral,
      edus,
      encryption: remoteEncryption,
    }),
  );
  const monitoring = await composeMonitoring(foundation, storage.database, sender);
  const administration = opened.use(
    composeAdministration(foundation, { accounts, contacts, userData, rooms, reading, merges }),
  );
  const parts: PipelineParts = { ...accounts, servers: federation.authenticator };
  const endpoints: BoundEndpoint[] = [
    ...serverHandlers(),
    ...composeCalls(foundation),
    ...accounts.handlers,
    ...contacts.handlers,
    ...signIn.handlers,
    ...userData.handlers,
    ...media.handlers,
    ...rooms.handlers,
    ...sending.handlers,
    ...encryption.handlers,
    ...ephemeral.handlers,
    ...threads.handlers,
    ...notifications.handlers,
    ...push.handlers,
    ...sync,
    ...composeDiscovery(foundation, rooms, federationParts),
    ...composeRendezvous(foundation),
    ...composeLegacySync(foundation, { timeline, userData, reading, presence: ephemeral.presence }),
    ...composeReports(foundation, rooms),
    ...(await composeServerNotices(foundation, rooms, userData)),
    ...composeRoomUpgrades(foundation, rooms, userData.profiles),
    ...reading.handlers,
    ...search.handlers,
    ...bridges.handlers,
    ...federation.handlers,
    ...administration.handlers,
    ...monitoring,
    ...composeProfiles(foundation, userData.profiles, rooms.profilePropagation),
  ];
  const listeners = config.listeners.map((options) => makeListener(options, endpoints, parts, foundation));
  opened.defer(async () => {
    await Promise.all(listeners.map(({ listener }) => listener[Symbol.asyncDispose]()));
  });
  // First of all long polls end, so that listeners need not wait for them.
  opened.defer(() => storage.notifier.close());
  const resources = opened.move();
  return {
    get addresses() {
      return listeners.map(({ listener, apis }) => ({ url: listener.url, apis }));
    },
    lost: storage.database.lost,
    async listen() {
      sending.start();
      await federation.start();
      auditLog.begin();
      administration.begin();
      for (const { listener } of listeners) await listener.listen();
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** What the command line does with accounts. */
export interface AdminTools extends AsyncDisposable {
  /** @throws MatrixError M_INVALID_USERNAME, M_USER_IN_USE, M_WEAK_PASSWORD. */
  createUser(user: {
    readonly localpart: string;
    readonly password: string;
    readonly admin: boolean;
  }): Promise<void>;
}

/**
 * Opens the database for administration, whether a server runs on it or not.
 * @throws StartupError
 */
export async function openAdminTools(config: Config, log: Logger): Promise<AdminTools> {
  prepareFolder(config.data_dir);
  const database = await openDatabase(config.data_dir, () => undefined, log);
  // Nothing in this process remembers sessions.
  const sessionsChanged = () => undefined;
  const { registration } = composeRegistration(
    config,
    database.stores,
    systemClock,
    systemRandomBytes,
    sessionsChanged,
  );
  const auditLog = composeAuditLog(config, database.stores, { clock: systemClock, log });
  return {
    async createUser({ localpart, password, admin }) {
      const target = registration.userIdFor(localpart);
      const act = { actor: "command line", address: "", action: "user create", target, request: { admin } };
      await auditLog.record(act, nothingBefore, () =>
        registration.register({ userId: target, password, displayName: localpart, isAdmin: admin }),
      );
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

interface Storage {
  readonly database: Database;
  readonly notifier: Notifier;
  readonly memberships: LiveMemberships;
}

/** The database and those who follow its commits. */
async function openStorage(config: Config, log: Logger, observation?: CommitObservation): Promise<Storage> {
  prepareFolder(config.data_dir);
  // The database reports to the notifier, which reads from the database: neither is used before both are there.
  const memberships = new LiveMemberships((userNid) => database.stores.memberships.joinedRoomNids(userNid));
  const notifier = new Notifier(memberships, (err) => log.error({ err }, "not everybody concerned was told"));
  const database = await openDatabase(config.data_dir, notifier.committed, log, observation);
  return { database, notifier, memberships };
}

async function openDatabase(
  folder: string,
  onCommit: CommitListener,
  log: Logger,
  observation?: CommitObservation,
): Promise<Database> {
  try {
    const onFault = (err: unknown) => log.error({ err }, "the database has a fault");
    return await openSqliteDatabase(folder, onCommit, onFault, observation);
  } catch (error) {
    if (!(error instanceof NewerDatabaseError)) throw error;
    throw new StartupError("newer-database", `The data in ${folder} cannot be opened: ${error.message}.`, {
      cause: error,
    });
  }
}

function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    placeRestoredFiles(folder, databaseCompanions, systemClock.nowMs());
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new StartupError(
      "unwritable",
      `The data folder ${folder} cannot be written (${code}): choose another as data_dir.`,
      {
        cause: error,
      },
    );
  }
}

function makeListener(
  options: ListenerConfig,
  endpoints: readonly BoundEndpoint[],
  parts: PipelineParts,
  { config, log, clock, observations }: Foundation,
): { listener: Listener; apis: readonly string[] } {
  const served = endpoints.filter(({ declaration }) => isServed(declaration, options.apis));
  const app = createApp({
    ...parts,
    endpoints: served,
    trustedProxies: new TrustedProxies(config.trusted_proxies),
    tokensInQuery: config.access_tokens.in_query,
    observed: observations.requests,
    clock,
    log,
  });
  return { listener: new Listener(app, options), apis: options.apis };
}

function isServed({ api = "client" }: EndpointDeclaration, apis: ListenerConfig["apis"]): boolean {
  return api === "every" || apis.includes(api);
}
