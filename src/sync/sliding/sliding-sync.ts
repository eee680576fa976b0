import type { Notifier } from "../../notifier/notifier.ts";
import type { Pace } from "../../telemetry/pace.ts";
import type { Readers } from "../../timeline/readers.ts";
import { hiddenInvites, type InvitePreferences } from "../hidden-invites.ts";
import type { ConnectionKey } from "../../storage/sliding-sync.ts";
import type { LazyMembers } from "../lazy-members.ts";
import type { LongPolls } from "../long-poll.ts";
import { PossibleChanges } from "../possible-changes.ts";
import type { PresenceStream } from "../streams/presence.ts";
import type { ToDeviceStream } from "../streams/to-device.ts";
import type { JsonPieces } from "../sync-request.ts";
import type { ConnectionPoint, SlidingConnections } from "./connections.ts";
import { lazyDevice } from "./room-results.ts";
import type { RoomSelections } from "./room-selection.ts";
import type { SlidingAnswer, SlidingAnswers } from "./sliding-answer.ts";
import type { SlidingRequest } from "./sliding-request.ts";
import type { UserRooms } from "./user-rooms.ts";

/** A client that asks for more gets less: it comes back with nothing lost. */
const maxTimeoutMs = 60_000;

export interface SlidingSyncParts {
  readonly notifier: Notifier;
  readonly longPolls: LongPolls;
  readonly readers: Readers;
  readonly permissions: InvitePreferences;
  readonly connections: SlidingConnections;
  readonly userRooms: UserRooms;
  readonly selections: RoomSelections;
  readonly answers: SlidingAnswers;
  readonly toDevice: ToDeviceStream;
  /** Absent where presence is switched off. */
  readonly presence: PresenceStream | undefined;
  readonly lazyMembers: LazyMembers;
  readonly pace: Pace;
}

interface Attempt extends SlidingAnswer {
  /** The version of a connection that this answer begins. */
  readonly begun: string | undefined;
}

/** Simplified sliding sync (MSC4186). */
export class SlidingSync {
  readonly #parts: SlidingSyncParts;

  constructor(parts: SlidingSyncParts) {
    this.#parts = parts;
  }

  /**
   * Answers with what is new on a connection, at once or as soon as there is something.
   * @param signal aborted when the client has gone away
   * @returns a JSON object
   * @throws MatrixError M_UNKNOWN_POS
   */
  async sync(request: SlidingRequest, signal: AbortSignal): Promise<JsonPieces> {
    const { notifier, connections, longPolls, lazyMembers, toDevice, presence } = this.#parts;
    const { device, connectionId, extensions } = request;
    const key = { userNid: device.userNid, deviceId: device.deviceId, connectionId };
    const point = await connections.at(key, request.pos, notifier.position);
    lazyMembers.acknowledge(lazyDevice({ request }), request.pos);
    await presence?.syncing(device, request.setPresence, request.timeoutMs);
    if (extensions.toDevice) await toDevice.acknowledge(device, extensions.toDevice.since);
    // "Ignored when no `pos` is set."
    const timeoutMs = point.version === undefined ? 0 : Math.min(request.timeoutMs, maxTimeoutMs);
    const answer = await longPolls.answer(device, timeoutMs, signal, () => this.#answer(request, key, point));
    const { state, upTo, begun } = answer;
    const pos =
      begun === undefined
        ? await connections.advance(key, point, state, upTo)
        : connections.began(key, begun, state, upTo);
    lazyMembers.sent(lazyDevice({ request }), pos, answer.sentMembers);
    const { transactionId } = request;
    const echo = transactionId === undefined ? "" : `,"txn_id":${JSON.stringify(transactionId)}`;
    return [`{"pos":"${pos}"${echo}`, ...answer.pieces, "}"];
  }

  async #answer(request: SlidingRequest, key: ConnectionKey, point: ConnectionPoint): Promise<Attempt> {
    const { notifier, readers, permissions, connections, userRooms, selections, answers, pace } = this.#parts;
    const { device } = request;
    const reader = await readers.of(device);
    const hidden = await hiddenInvites(reader, permissions);
    const known = await userRooms.of(device.userNid);
    const spaceChildren = await selections.spaceChildren(request, known);
    const list = await userRooms.of(device.userNid);
    // No await until the rooms are selected: the list, which lives on, and its position belong together.
    const { upTo, labels } = list;
    const since = point.position;
    const changes = new PossibleChanges(
      since === undefined ? undefined : notifier.changesSince(since),
      device.userNid,
      list.joined,
    );
    const selection = selections.select(request, point, list, spaceChildren, hidden);
    const round = { request, reader, since, upTo, pace };
    const isFirst = point.version === undefined;
    const [begun, answer] = await Promise.all([
      isFirst ? connections.begin(key, answers.first(round, selection)) : undefined,
      answers.make(round, point, selection, labels, changes),
    ]);
    return { ...answer, begun };
  }
}
