import { InboundInvites } from "../federation/inbound/invites.ts";
import { RemoteJoins } from "../federation/joining/remote-joins.ts";
import { RemoteMemberships } from "../federation/joining/remote-memberships.ts";
import { MembershipSigner } from "../federation/joining/signed-membership.ts";
import { MembershipRequests } from "../federation/requests/membership-requests.ts";
import { Handshakes } from "../federation/serving/handshakes.ts";
import { ShownState } from "../federation/shown-state.ts";
import { directoryQueryHandlers } from "../http/handlers/federation/directory.ts";
import { membershipHandlers } from "../http/handlers/federation/memberships.ts";
import type { RemoteRooms } from "../services/rooms/remote-rooms.ts";
import type { RoomParts } from "./rooms.ts";
import { EduReceivers, type EduReceiver } from "../federation/inbound/edu-receivers.ts";
import { EventCompletion } from "../federation/inbound/event-completion.ts";
import { PduChecks } from "../federation/inbound/pdu-checks.ts";
import { RoomInboxes } from "../federation/inbound/room-inboxes.ts";
import { ServerAuthenticator } from "../federation/inbound/server-authenticator.ts";
import { ToldStates } from "../federation/inbound/told-state.ts";
import { InboundTransactions } from "../federation/inbound/transactions.ts";
import type { FederationClient } from "../federation/federation-client.ts";
import { Keyring } from "../federation/keys/keyring.ts";
import { OwnKeys } from "../federation/keys/own-keys.ts";
import { RemoteKeySource } from "../federation/keys/remote-key-source.ts";
import { RoomRequests } from "../federation/requests/room-requests.ts";
import { RoomParticipation } from "../federation/room-participation.ts";
import { RoomServers } from "../federation/room-servers.ts";
import { FederationSender } from "../federation/sending/federation-sender.ts";
import { TransactionTexts } from "../federation/sending/transaction-text.ts";
import { ServedRooms } from "../federation/serving/served-rooms.ts";
import { ServerVisibility } from "../federation/serving/server-visibility.ts";
import { ServerPolicy } from "../federation/server-policy.ts";
import { roomEventHandlers } from "../http/handlers/federation/room-events.ts";
import { serverKeyHandlers } from "../http/handlers/federation/server-keys.ts";
import { federationServerHandlers } from "../http/handlers/federation/server.ts";
import { transactionHandlers } from "../http/handlers/federation/transactions.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import type { ServerName } from "../protocol/identifiers.ts";
import { CurrentState } from "../state/current-state.ts";
import { randomFraction } from "../telemetry/random.ts";
import type { Foundation } from "./foundation.ts";
import type { TimelineParts } from "./timeline.ts";

/** What talks with other servers, whatever it is about. */
export interface FederationParts {
  readonly client: FederationClient;
  readonly keyring: Keyring;
  readonly ownKeys: OwnKeys;
  readonly policy: ServerPolicy;
  readonly checks: PduChecks;
  readonly requests: RoomRequests;
  readonly toldStates: ToldStates;
  readonly servers: RoomServers;
  readonly participation: RoomParticipation;
  /** Rooms in which nobody of this server is; absent where federation is off. */
  readonly remote: RemoteRooms | undefined;
  readonly shown: ShownState;
}

export function composeFederationParts(foundation: Foundation): FederationParts {
  const { config, clock, signingKey, stores, graph, names, notifier, federationClient: client } = foundation;
  const { federation, server_name: serverName } = config;
  const source = new RemoteKeySource(client, federation.key_notaries as readonly ServerName[]);
  const keyring = new Keyring({
    ownName: serverName,
    ownKey: signingKey,
    store: stores.serverKeys,
    source,
    clock,
  });
  const oldKeys = federation.old_signing_keys.map((key) => ({
    keyId: key.key_id,
    publicKey: key.public_key,
    expiredTs: key.expired_ts,
  }));
  const state = new CurrentState({ ...graph, rooms: stores.rooms, names });
  const servers = new RoomServers(stores.destinations);
  notifier.follow(servers.committed);
  const checks = new PduChecks(keyring);
  const requests = new RoomRequests(client);
  const policy = new ServerPolicy(federation.allowed_servers ?? undefined, federation.denied_servers);
  const participation = new RoomParticipation({
    ownName: serverName,
    policy,
    rooms: graph.rooms,
    state,
    memberships: stores.memberships,
    servers,
  });
  const toldStates = new ToldStates({
    requests,
    checks,
    outliers: graph.outliers,
    eventStore: stores.events,
    events: graph.events,
  });
  const shown = new ShownState(state);
  return {
    client,
    keyring,
    ownKeys: new OwnKeys({ serverName, key: signingKey, oldKeys, keyring, clock }),
    policy,
    checks,
    requests,
    toldStates,
    servers,
    participation,
    remote: federation.enabled
      ? composeRemoteRooms(foundation, { client, checks, toldStates, participation, shown })
      : undefined,
    shown,
  };
}

function composeRemoteRooms(
  { config, clock, log, randomBytes, signingKey: key, stores, graph }: Foundation,
  parts: Pick<FederationParts, "client" | "checks" | "toldStates" | "participation" | "shown">,
): RemoteRooms {
  const { client, checks, toldStates, participation, shown } = parts;
  const { receiver, outliers, rooms, writer, events } = graph;
  const requests = new MembershipRequests(client);
  const signer = new MembershipSigner({ serverName: config.server_name, key, clock, randomBytes });
  return new RemoteMemberships({
    client,
    requests,
    signer,
    joins: new RemoteJoins({ requests, signer, checks, toldStates, outliers, receiver, rooms }),
    checks,
    writer,
    receiver,
    outliers,
    events,
    memberships: stores.memberships,
    participation,
    strippedStateOf: (room, inviter) => shown.of(room, inviter),
    log,
  });
}

export interface Federation extends AsyncDisposable {
  readonly authenticator: ServerAuthenticator;
  readonly sender: FederationSender;
  readonly handlers: readonly BoundEndpoint[];
  /** Takes up what was left when the server stopped. To be called once, before anything is served. */
  start(): Promise<void>;
}

/** What other servers send, and what they are sent. */
export function composeFederation(
  foundation: Foundation,
  parts: FederationParts,
  { timelines, views }: Pick<TimelineParts, "timelines" | "views">,
  { restricted, invites, aliases }: Pick<RoomParts, "restricted" | "invites" | "aliases">,
  edus: ReadonlyMap<string, EduReceiver>,
): Federation {
  const { config, clock, log, randomBytes, stores, graph, names, notifier, policyServers } = foundation;
  const state = new CurrentState({ ...graph, rooms: stores.rooms, names });
  const serverName = config.server_name;
  const { keyring, policy, checks, requests, toldStates, participation, servers } = parts;
  const sender = new FederationSender({
    ownName: serverName,
    client: parts.client,
    policy,
    servers,
    store: stores.destinations,
    texts: new TransactionTexts(serverName, graph.events, graph.rooms),
    timelines,
    events: graph.events,
    names,
    position: () => notifier.position,
    clock,
    random: () => randomFraction(randomBytes),
    log,
  });
  notifier.follow(sender.committed);
  const completion = new EventCompletion({
    receiver: graph.receiver,
    rooms: stores.rooms,
    requests,
    checks,
    toldStates,
    isWanted: (room, event) =>
      policyServers.recommends(room, event, {
        event: (type, stateKey) => state.event(room, type, stateKey),
      }),
    log,
  });
  const inboxes = new RoomInboxes({
    store: stores.federationInbox,
    rooms: graph.rooms,
    completion,
    clock,
    log,
  });
  const transactions = new InboundTransactions({
    rooms: graph.rooms,
    participation,
    checks,
    inboxes,
    edus: new EduReceivers(edus, log),
    clock,
  });
  const visibility = new ServerVisibility({
    views,
    events: graph.events,
    memberships: stores.memberships,
    names,
  });
  const rooms = new ServedRooms({
    rooms: graph.rooms,
    participation,
    visibility,
    eventStore: stores.events,
    events: graph.events,
    snapshots: graph.snapshots,
  });
  const key = foundation.signingKey;
  const handshakes = new Handshakes({
    serverName,
    key,
    rooms: graph.rooms,
    participation,
    writer: graph.writer,
    receiver: graph.receiver,
    checks,
    restricted,
    names,
    eventStore: stores.events,
  });
  const inboundInvites = new InboundInvites({
    serverName,
    key,
    checks,
    outliers: graph.outliers,
    participation,
    accounts: stores.accounts,
    permission: invites,
    names,
  });
  const authenticator = new ServerAuthenticator({
    ownName: serverName,
    keyring,
    policy,
    clock,
    heard: (server) => sender.heard(server),
  });
  return {
    authenticator,
    sender,
    handlers: [
      ...serverKeyHandlers(parts.ownKeys),
      ...federationServerHandlers(config.federation.public_address),
      ...transactionHandlers(transactions),
      ...roomEventHandlers({ serverName, rooms, events: graph.events, clock }),
      ...membershipHandlers({
        serverName,
        handshakes,
        rooms,
        invites: inboundInvites,
        events: graph.events,
        strippedStateOf: async (roomId) => {
          const room = await graph.rooms.find(roomId);
          return room ? parts.shown.of(room) : [];
        },
      }),
      ...directoryQueryHandlers({ serverName, aliases, participation }),
    ],
    async start() {
      await inboxes.resume();
      await sender.resume();
    },
    async [Symbol.asyncDispose]() {
      await inboxes[Symbol.asyncDispose]();
      await sender[Symbol.asyncDispose]();
    },
  };
}
