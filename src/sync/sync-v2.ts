import type { LiveMemberships } from "../notifier/live-memberships.ts";
import type { Notifier } from "../notifier/notifier.ts";
import type { Pace } from "../telemetry/pace.ts";
import { eventFormatOf } from "../timeline/event-format.ts";
import type { Reader } from "../timeline/reader.ts";
import type { Readers } from "../timeline/readers.ts";
import type { LazyMembers } from "./lazy-members.ts";
import type { LongPolls } from "./long-poll.ts";
import { PossibleChanges } from "./possible-changes.ts";
import type { PresenceStream } from "./streams/presence.ts";
import type { ToDeviceStream } from "./streams/to-device.ts";
import type { SyncAnswer, SyncAnswers } from "./sync-answer.ts";
import type { JsonPieces, SyncRequest } from "./sync-request.ts";

/** A client that asks for more gets less: it comes back with nothing lost. */
const maxTimeoutMs = 60_000;

export interface SyncV2Parts {
  readonly notifier: Notifier;
  readonly memberships: LiveMemberships;
  readonly longPolls: LongPolls;
  readonly readers: Readers;
  readonly answers: SyncAnswers;
  readonly toDevice: ToDeviceStream;
  /** Absent where presence is switched off. */
  readonly presence: PresenceStream | undefined;
  readonly lazyMembers: LazyMembers;
  readonly pace: Pace;
}

/** Long-polling sync (client-server API, "Syncing"). */
export class SyncV2 {
  readonly #parts: SyncV2Parts;

  constructor(parts: SyncV2Parts) {
    this.#parts = parts;
  }

  /**
   * Answers with what is new for a device, at once or as soon as there is something.
   * @param signal aborted when the client has gone away
   * @returns a JSON object
   */
  async sync(request: SyncRequest, signal: AbortSignal): Promise<JsonPieces> {
    const { longPolls, lazyMembers, toDevice, presence } = this.#parts;
    const { device, since } = request;
    lazyMembers.acknowledge(device, since?.position);
    await presence?.syncing(device, request.setPresence, request.timeoutMs);
    if (since) await toDevice.acknowledge(device, since.toDevice);
    // "In this case, the timeout parameter will be ignored": the same goes for first syncs, which have an answer.
    const timeoutMs = since && !request.fullState ? Math.min(request.timeoutMs, maxTimeoutMs) : 0;
    const answer = await longPolls.answer(device, timeoutMs, signal, () => this.#answer(request));
    lazyMembers.sent(device, answer.upTo, answer.sentMembers);
    return answer.pieces;
  }

  async #answer(request: SyncRequest): Promise<SyncAnswer> {
    const { notifier, memberships, answers, readers, pace } = this.#parts;
    const { device, since, filter } = request;
    const reader: Reader = await readers.of(device);
    await memberships.load(device.userNid);
    const joined = memberships.roomsOf(device.userNid);
    // Forgotten just now, as others were active.
    if (!joined) return this.#answer(request);
    // No await from there on: the position, the changes and the joined rooms belong together.
    const upTo = notifier.position;
    const changes = new PossibleChanges(
      since && notifier.changesSince(since.position),
      device.userNid,
      joined,
    );
    const round = { request, reader, upTo, format: eventFormatOf(filter), pace };
    return answers.make(round, changes, joined);
  }
}
