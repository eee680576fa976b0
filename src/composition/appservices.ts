import { AliasChanges } from "../appservices/alias-changes.ts";
import { AppserviceClient } from "../appservices/appservice-client.ts";
import { ChangeWindows } from "../appservices/change-window.ts";
import { CoveredUsers } from "../appservices/covered-users.ts";
import { EphemeralWriter } from "../appservices/ephemeral-writer.ts";
import { ExistenceQueries } from "../appservices/existence-queries.ts";
import { loadAppservices } from "../appservices/registration-file.ts";
import { AppserviceRegistry } from "../appservices/registry.ts";
import { RoomInterests } from "../appservices/room-interests.ts";
import { ThirdPartyNetworks } from "../appservices/third-party.ts";
import { TransactionSender } from "../appservices/transaction-sender.ts";
import { TransactionWriter } from "../appservices/transaction-writer.ts";
import type { Config } from "../config/schema.ts";
import { appserviceHandlers } from "../http/handlers/appservices.ts";
import { thirdPartyNetworkHandlers } from "../http/handlers/third-party-networks.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { AddressFilter } from "../outbound/address-filter.ts";
import { OutboundHttp } from "../outbound/outbound-http.ts";
import type { RoomAccess } from "../services/rooms/room-access.ts";
import type { AppserviceProgress } from "../storage/appservices.ts";
import type { Stores } from "../storage/database.ts";
import { PendingRooms } from "../sync/pending-rooms.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import { everyStream } from "../storage/streams.ts";
import { Pace } from "../telemetry/pace.ts";
import type { EphemeralParts } from "./ephemeral.ts";
import type { Foundation } from "./foundation.ts";
import type { TimelineParts } from "./timeline.ts";

/** The application services that the configuration names, and how they are reached. */
export interface AppserviceParts extends Disposable {
  readonly registry: AppserviceRegistry;
  /** Of those whose registrations have a URL. */
  readonly clients: readonly AppserviceClient[];
  readonly queries: ExistenceQueries;
  readonly aliasChanges: AliasChanges;
}

/** Longer than any request to an application service may take: each has a time of its own. */
const headersTimeoutMs = 60_000;

/** @throws ConfigError for a registration that cannot be used */
export function composeAppserviceParts(
  { application_services: paths, server_name: serverName }: Config,
  { accounts }: Stores,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): AppserviceParts {
  const registry = new AppserviceRegistry(loadAppservices(paths, serverName));
  // Where application services are is said by the administrator, in their registrations; most are on this machine.
  const filter = new AddressFilter(["0.0.0.0/0", "::/0"]);
  const http = new OutboundHttp({ filter, clock, headersTimeoutMs });
  const clients = registry.all.flatMap((appservice) => {
    const { url } = appservice.registration;
    return url === null ? [] : [new AppserviceClient(appservice, url, http, clock)];
  });
  return {
    registry,
    clients,
    queries: new ExistenceQueries({ clients, accounts, clock, log }),
    aliasChanges: new AliasChanges(),
    [Symbol.dispose]: () => http[Symbol.dispose](),
  };
}

/** What application services are told of, by whom. */
interface ToldParts {
  readonly timeline: TimelineParts;
  readonly ephemeral: EphemeralParts;
  readonly access: RoomAccess;
}

/** Makes the users of application services, tells them what is new, and serves what is for them alone. */
export async function composeAppservices(
  foundation: Foundation,
  told: ToldParts,
): Promise<{ readonly handlers: readonly BoundEndpoint[] } & AsyncDisposable> {
  const { appservices, stores, clock, log, notifier } = foundation;
  const { clients, registry } = appservices;
  await makeSenders(foundation);
  await stores.appservices.keepDirectories(registry.all.map(({ id }) => id));
  const ids = clients.map(({ appservice }) => appservice.id);
  const progress = await stores.appservices.begin(ids, notifier.position);
  await using senders = new AsyncDisposableStack();
  for (const client of clients) {
    const own = progress.find(({ appserviceId }) => appserviceId === client.appservice.id);
    if (own) senders.use(composeSender(foundation, told, client, own)).wake();
  }
  const resources = senders.move();
  const networks = new ThirdPartyNetworks(clients, clock, log);
  return {
    handlers: [
      ...appserviceHandlers({ clients, store: stores.appservices, access: told.access, clock }),
      ...thirdPartyNetworkHandlers(networks),
    ],
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** The users as which application services act unless they say otherwise. */
async function makeSenders({ appservices, stores, clock }: Foundation): Promise<void> {
  for (const { id, senderId } of appservices.registry.all) {
    if (await stores.accounts.find(senderId)) continue;
    await stores.accounts.create(
      {
        userId: senderId,
        passwordHash: null,
        createdTs: clock.nowMs(),
        isAdmin: false,
        isGuest: false,
        userType: null,
        appserviceId: id,
        displayName: null,
      },
      {},
    );
  }
}

function composeSender(
  foundation: Foundation,
  { timeline, ephemeral }: ToldParts,
  client: AppserviceClient,
  progress: AppserviceProgress,
): TransactionSender {
  const { stores, names, notifier, memberships, graph, clock, log } = foundation;
  const { appservices: store, rooms, receipts, devices, deviceKeys } = stores;
  const { events, snapshots } = graph;
  const { appservice } = client;
  const { registration } = appservice;
  const pace = new Pace(clock);
  const users = new CoveredUsers(appservice, names);
  const interests = new RoomInterests({ appservice, users, store, rooms, pace });
  const windows = new ChangeWindows({ registration, users, interests, notifier, store, memberships, pace });
  const { typing, presence } = ephemeral.observed;
  const writer = new TransactionWriter({
    appservice,
    windows,
    store,
    events,
    presenter: timeline.presenter,
    pending: new PendingRooms({ events, snapshots, names, store: stores.events }),
    ephemeral: new EphemeralWriter({ users, typing, receipts, presence, rooms: graph.rooms, names, clock }),
    devices,
    deviceKeys,
    names,
  });
  const position = () => notifier.position;
  const sender = new TransactionSender({ client, store, windows, writer, position, clock, log }, progress);
  foundation.appservices.aliasChanges.follow(interests.forget);
  notifier.follow(["membership"], interests.committed);
  notifier.follow(everyStream, () => sender.wake());
  return sender;
}
