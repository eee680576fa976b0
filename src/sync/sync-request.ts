import type { Reader } from "../timeline/reader.ts";
import type { UserId } from "../protocol/identifiers.ts";
import type { Pace } from "../telemetry/pace.ts";
import type { EventFormat } from "../timeline/event-format.ts";
import type { StreamPoint } from "../timeline/stream-token.ts";
import type { SyncFilter } from "./filter.ts";

/** A device that syncs. */
export interface SyncDevice {
  readonly userNid: number;
  readonly userId: UserId;
  readonly deviceId: string;
  /** Of the access token. */
  readonly tokenHash: Uint8Array;
  /** The application service that acts as the user, with a token that is no session's. */
  readonly appserviceId?: string;
}

/** How state is reported: up to the start of the timeline, or up to its end under either name (MSC4222). */
export type StateSection = "state" | "state_after" | "org.matrix.msc4222.state_after";

/** A request of /sync (client-server API, "Syncing"). */
export interface SyncRequest {
  readonly device: SyncDevice;
  /** Up to where the client has everything; `undefined` for a first sync. */
  readonly since: StreamPoint | undefined;
  readonly timeoutMs: number;
  readonly fullState: boolean;
  readonly stateSection: StateSection;
  readonly filter: SyncFilter;
  readonly setPresence: "online" | "offline" | "unavailable";
}

/** One attempt at an answer: what lies after the request's `since`, up to `upTo`. */
export interface SyncRound {
  readonly request: SyncRequest;
  readonly reader: Reader;
  readonly upTo: number;
  readonly format: EventFormat | undefined;
  readonly pace: Pace;
}

/** JSON text, in pieces that stand one after the other. */
export type JsonPieces = (string | Buffer)[];
