import type { Pace } from "../../telemetry/pace.ts";
import type { Reader } from "../../timeline/reader.ts";
import type { SyncDevice } from "../sync-request.ts";
import type { StateRules } from "./state-rules.ts";

/** What to tell of the rooms that a rule matches (MSC4186, "Room config"). */
export interface RoomConfig {
  readonly timelineLimit: number;
  readonly requiredState: StateRules;
}

/** MSC4186, `SyncListConfig`. */
export interface ListConfig extends RoomConfig {
  /** Inclusive; `undefined` for the whole list. */
  readonly ranges: readonly (readonly [first: number, last: number])[] | undefined;
  readonly filters: RoomFilters;
}

/** MSC4186, `RoomFilter`. */
export interface RoomFilters {
  readonly is_dm?: boolean | undefined;
  readonly spaces?: readonly string[] | undefined;
  readonly is_encrypted?: boolean | undefined;
  readonly is_invite?: boolean | undefined;
  readonly room_types?: readonly (string | null)[] | undefined;
  readonly not_room_types?: readonly (string | null)[] | undefined;
  readonly room_name_like?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly not_tags?: readonly string[] | undefined;
}

/** What an extension that goes by rooms covers: rooms by subscription, rooms by list. `*` stands for all. */
export interface ExtensionScope {
  readonly lists: readonly string[] | undefined;
  readonly rooms: readonly string[] | undefined;
}

/** What the extension of profiles covers. */
export interface ProfileExtensionScope extends ExtensionScope {
  /** Names of fields; `undefined` for all. */
  readonly fields: readonly string[] | undefined;
}

/** Extensions that have other names on one endpoint than on the other. */
export type RenamedExtension = "to_device" | "e2ee" | "typing";

/** The extensions that a client has switched on. */
export interface Extensions {
  /** By which names the client knows some; those that are not mentioned by the names of `RenamedExtension`. */
  readonly names: Readonly<Partial<Record<RenamedExtension, string>>>;
  readonly toDevice: { readonly since: number; readonly limit: number } | undefined;
  readonly e2ee: boolean;
  readonly accountData: ExtensionScope | undefined;
  readonly receipts: ExtensionScope | undefined;
  readonly typing: ExtensionScope | undefined;
  /** MSC4480. */
  readonly stickyEvents: { readonly since: number; readonly limit: number } | undefined;
  /** MSC4308. */
  readonly threadSubscriptions: { readonly limit: number } | undefined;
  /** MSC4262. */
  readonly profiles: ProfileExtensionScope | undefined;
}

/** A request of simplified sliding sync (MSC4186). */
export interface SlidingRequest {
  /** Whether the answer is to have the form of the merged proposal: no unread counts, and final names only. */
  readonly isMergedForm: boolean;
  readonly device: SyncDevice;
  readonly connectionId: string;
  readonly pos: string | undefined;
  readonly transactionId: string | undefined;
  readonly timeoutMs: number;
  readonly setPresence: "online" | "offline" | "unavailable";
  readonly lists: ReadonlyMap<string, ListConfig>;
  /** By room ID. */
  readonly subscriptions: ReadonlyMap<string, RoomConfig>;
  readonly extensions: Extensions;
}

/** One attempt at an answer. */
export interface SlidingRound {
  readonly request: SlidingRequest;
  readonly reader: Reader;
  /** Up to where the client has looked; `undefined` on a connection that begins. */
  readonly since: number | undefined;
  readonly upTo: number;
  readonly pace: Pace;
}
