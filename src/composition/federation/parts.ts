import { RoomCompletions } from "../../federation/joining/room-completions.ts";
import { ShownState } from "../../federation/shown-state.ts";
import type { RemoteRooms } from "../../services/rooms/remote-rooms.ts";
import { PduChecks } from "../../federation/inbound/pdu-checks.ts";
import { Signatures } from "../../federation/inbound/signatures.ts";
import { ToldStates } from "../../federation/inbound/told-state.ts";
import type { FederationClient } from "../../federation/federation-client.ts";
import { Keyring } from "../../federation/keys/keyring.ts";
import { OwnKeys } from "../../federation/keys/own-keys.ts";
import { RemoteKeySource } from "../../federation/keys/remote-key-source.ts";
import { RoomRequests } from "../../federation/requests/room-requests.ts";
import { RoomParticipation } from "../../federation/room-participation.ts";
import { RoomServers } from "../../federation/room-servers.ts";
import type { ServerPolicy } from "../../federation/server-policy.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import { CurrentState } from "../../state/current-state.ts";
import type { Foundation } from "../foundation.ts";
import { composeRemoteRooms } from "./remote-rooms.ts";

/** What talks with other servers, whatever it is about. */
export interface FederationParts extends AsyncDisposable {
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
  /** Gets the members of rooms that were joined without them. */
  readonly completions: RoomCompletions;
}

export function composeFederationParts(foundation: Foundation): FederationParts {
  const { config, clock, log, signingKey, stores, graph, names, notifier, partialRooms } = foundation;
  const { federationClient: client, serverPolicy: policy } = foundation;
  const { federation, server_name: serverName } = config;
  const source = new RemoteKeySource(client, federation.key_notaries as readonly ServerName[], clock);
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
  notifier.follow(["timeline", "membership"], servers.committed);
  const signatures = new Signatures(clock, graph.pace);
  const checks = new PduChecks(keyring, signatures);
  const requests = new RoomRequests(client);
  const participation = new RoomParticipation({
    ownName: serverName,
    policy,
    rooms: graph.rooms,
    state,
    memberships: stores.memberships,
    servers,
    partialRooms,
  });
  const toldStates = new ToldStates({
    requests,
    checks,
    outliers: graph.outliers,
    eventStore: stores.events,
    events: graph.events,
    names,
    pace: graph.pace,
  });
  const completions = new RoomCompletions({
    ownName: serverName,
    partialRooms,
    rooms: graph.rooms,
    participation,
    toldStates,
    restatements: graph.restatements,
    eventStore: stores.events,
    events: graph.events,
    clock,
    log,
  });
  notifier.follow(["membership"], completions.committed);
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
      ? composeRemoteRooms(foundation, { client, checks, toldStates, participation, shown, completions })
      : undefined,
    shown,
    completions,
    async [Symbol.asyncDispose]() {
      completions[Symbol.dispose]();
      await signatures[Symbol.asyncDispose]();
    },
  };
}
