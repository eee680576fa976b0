import type { Requester } from "../auth/requester.ts";
import { type ServerName, serverNameOf, type UserId } from "../protocol/identifiers.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { AccountStore } from "../storage/accounts.ts";
import type { EventStore } from "../storage/events.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { NewReport, ReportStore } from "../storage/reports.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import type { RoomAccess } from "./rooms/room-access.ts";

/** Nobody has more to say that an administrator would read. */
const maxReasonLength = 10_000;
/** So that nobody can fill the table, or push out what others report. */
const bounds = { ofReporter: 500, inAll: 100_000 };

export interface ReportsParts {
  readonly store: ReportStore;
  readonly access: RoomAccess;
  readonly events: EventStore;
  readonly accounts: AccountStore;
  readonly names: NameCache;
  readonly serverName: ServerName;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Takes reports of what is inappropriate (client-server API, "Reporting content"). */
export class Reports {
  readonly #parts: ReportsParts;

  constructor(parts: ReportsParts) {
    this.#parts = parts;
  }

  /** @throws MatrixError M_NOT_FOUND, M_INVALID_PARAM */
  async room(requester: Requester, roomId: string, reason: string): Promise<void> {
    const { roomNid } = await this.#parts.access.room(roomId);
    await this.#add(requester, { roomNid, reason });
  }

  /** @throws MatrixError M_NOT_FOUND also for a room that the requester is not joined to; M_INVALID_PARAM */
  async event(
    requester: Requester,
    roomId: string,
    eventId: string,
    { reason = "", score = null }: { reason?: string | undefined; score?: number | null | undefined },
  ): Promise<void> {
    const room = await this.#parts.access.room(roomId);
    const isJoined = (await this.#parts.access.membership(room, requester)) === "join";
    const event = isJoined ? await this.#parts.events.byId(eventId) : undefined;
    if (event?.roomNid !== room.roomNid || event.position === null) {
      throw new MatrixError("M_NOT_FOUND", "You are not in this room, or it has no such event");
    }
    await this.#add(requester, { roomNid: room.roomNid, eventId, reason, score });
  }

  /** @throws MatrixError M_NOT_FOUND, M_INVALID_PARAM */
  async user(requester: Requester, userId: UserId, reason: string): Promise<void> {
    const userNid = await this.#knownUser(userId);
    if (userNid === undefined) throw new MatrixError("M_NOT_FOUND", `${userId} is not known here`);
    await this.#add(requester, { userNid, reason });
  }

  /** A name of this server is somebody only once there is an account. */
  async #knownUser(userId: UserId): Promise<number | undefined> {
    const { names, accounts, serverName } = this.#parts;
    if (serverNameOf(userId) !== serverName) return names.findUser(userId);
    return (await accounts.find(userId))?.userNid;
  }

  async #add(
    { userNid: reporterNid }: Requester,
    report: Partial<NewReport> & { reason: string },
  ): Promise<void> {
    if (report.reason.length > maxReasonLength) {
      throw new MatrixError("M_INVALID_PARAM", `A reason has at most ${maxReasonLength} characters`);
    }
    const createdTs = this.#parts.clock.nowMs();
    const empty = { roomNid: null, eventId: null, userNid: null, score: null };
    await this.#parts.store.add({ ...empty, ...report, reporterNid, createdTs }, bounds);
    this.#parts.log.info({ reporterNid }, "something has been reported to the administrators");
  }
}
