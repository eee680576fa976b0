import { HistoryPurge } from "../admin/history-purge.ts";
import { RoomDeletion } from "../admin/room-deletion.ts";
import { RegistrationTokens } from "../admin/registration-tokens.ts";
import { auditLogHandlers } from "../http/handlers/admin/audit-log.ts";
import { consoleHandlers } from "../http/handlers/console.ts";
import { historyPurgeHandlers } from "../http/handlers/admin/history-purge.ts";
import { jobHandlers } from "../http/handlers/admin/jobs.ts";
import { roomDeletionHandlers } from "../http/handlers/admin/room-deletion.ts";
import { registrationTokenHandlers } from "../http/handlers/admin/registration-tokens.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { JobRunner } from "../jobs/job-runner.ts";
import { checkAuditLog } from "../admin/audit-check.ts";
import type { ForkMerges } from "../services/rooms/fork-merges.ts";
import { composeRoomAdministration } from "./administration/rooms.ts";
import { composeUserAdministration, type UserAdministrationSources } from "./administration/users.ts";
import type { Foundation } from "./foundation.ts";
import type { ReadingParts } from "./reading.ts";

export interface AdministrationParts extends AsyncDisposable {
  readonly handlers: readonly BoundEndpoint[];
  /** Goes on with what a stopped server has left. */
  begin(): void;
}

export interface AdministrationSources extends UserAdministrationSources {
  readonly reading: ReadingParts;
  readonly merges: ForkMerges;
}

/** What administrators see and do. */
export function composeAdministration(
  foundation: Foundation,
  sources: AdministrationSources,
): AdministrationParts {
  const { stores, clock, randomBytes, log, auditLog } = foundation;
  const { rooms, userData, reading, merges } = sources;
  const { blocked } = rooms;
  const deletion = new RoomDeletion({
    removals: stores.roomRemovals,
    roomStore: stores.rooms,
    rooms: foundation.graph.rooms,
    writer: foundation.graph.writer,
    creation: rooms.creation,
    profiles: userData.profiles,
    accounts: stores.accounts,
    blocked,
    serverName: foundation.config.server_name,
  });
  const purge = new HistoryPurge({
    store: stores.historyPurges,
    rooms: foundation.graph.rooms,
    eventStore: stores.events,
    events: foundation.graph.events,
  });
  const jobs = new JobRunner({ store: stores.jobs, kinds: [deletion, purge], clock, randomBytes, log });
  const tokens = new RegistrationTokens(stores.registrationTokens, clock, randomBytes);
  return {
    handlers: [
      ...jobHandlers(jobs, auditLog),
      ...composeUserAdministration(foundation, sources),
      ...roomDeletionHandlers({ jobs, deletion, blocked, auditLog }),
      ...historyPurgeHandlers({ jobs, purge, auditLog }),
      ...composeRoomAdministration(foundation, rooms, reading, merges),
      ...registrationTokenHandlers(tokens, auditLog),
      ...auditLogHandlers(auditLog, () => checkAuditLog(stores.auditLog)),
      ...(foundation.config.console.enabled ? consoleHandlers(randomBytes) : []),
    ],
    begin: () => jobs.begin(),
    [Symbol.asyncDispose]: () => jobs[Symbol.asyncDispose](),
  };
}
