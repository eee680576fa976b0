import { slidingSync } from "../../api/client/sliding-sync.ts";
import type { BodyOf } from "../../api/endpoint.ts";
import { isRoomId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type {
  Extensions,
  ExtensionScope,
  ListConfig,
  RoomConfig,
} from "../../sync/sliding/sliding-request.ts";
import type { SlidingSync } from "../../sync/sliding/sliding-sync.ts";
import { parseStreamToken } from "../../timeline/stream-token.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { JsonChunks } from "../reply.ts";

type Body = BodyOf<typeof slidingSync>;
type ListJson = NonNullable<Body["lists"]>[string];
type RoomConfigJson = Pick<ListJson, "timeline_limit" | "required_state">;
export type ExtensionsJson = NonNullable<Body["extensions"]>;
type ScopeJson = ExtensionsJson["receipts"];

/** "The server may cap this number." */
export const maxTimelineLimit = 100;
const maxListKeyBytes = 64;
const defaultLimit = 100;

/** MSC4186. */
export function slidingSyncHandlers(sync: SlidingSync): BoundEndpoint[] {
  return [
    handler(slidingSync, async ({ requester, query, body, context }) => {
      const pieces = await sync.sync(
        {
          isMergedForm: false,
          device: requester,
          connectionId: body.conn_id ?? "",
          pos: query.pos,
          transactionId: body.txn_id,
          timeoutMs: query.timeout ?? 0,
          setPresence: query.set_presence ?? "online",
          lists: listsOf(body),
          subscriptions: subscriptionsOf(body),
          extensions: extensionsOf(body.extensions ?? {}),
        },
        context.signal,
      );
      return new JsonChunks(pieces);
    }),
  ];
}

function listsOf({ lists = {} }: Body): ReadonlyMap<string, ListConfig> {
  return new Map(
    Object.entries(lists).map(([key, list]) => {
      if (Buffer.byteLength(key) > maxListKeyBytes) {
        throw new MatrixError(
          "M_INVALID_PARAM",
          `The key of a list may have at most ${maxListKeyBytes} bytes`,
        );
      }
      return [key, { ...roomConfigOf(list), ranges: rangesOf(key, list), filters: list.filters ?? {} }];
    }),
  );
}

function rangesOf(key: string, { ranges }: ListJson): ListConfig["ranges"] {
  return ranges?.map(([first = 0, last = 0]) => {
    if (first <= last) return [first, last];
    throw new MatrixError("M_INVALID_PARAM", `A range of the list "${key}" ends before it begins`);
  });
}

function subscriptionsOf({ room_subscriptions: subscriptions = {} }: Body): ReadonlyMap<string, RoomConfig> {
  return new Map(
    Object.entries(subscriptions).map(([roomId, config]) => {
      if (isRoomId(roomId)) return [roomId, roomConfigOf(config)];
      throw new MatrixError(
        "M_INVALID_PARAM",
        `room_subscriptions has a key that is not a room ID: ${roomId.slice(0, 255)}`,
      );
    }),
  );
}

function roomConfigOf({ timeline_limit: limit, required_state: rules }: RoomConfigJson): RoomConfig {
  return {
    timelineLimit: Math.min(limit, maxTimelineLimit),
    requiredState: rules.map(([type = "", stateKey = ""]) => [type, stateKey]),
  };
}

/** The extensions as clients name them on this endpoint. */
export function extensionsOf(json: ExtensionsJson): Extensions {
  const profiles = json["org.matrix.msc4262.profiles"];
  const { to_device: toDevice, "io.element.msc4308.thread_subscriptions": subscriptions } = json;
  const { "org.matrix.msc4354.sticky_events": sticky } = json;
  return {
    names: {},
    toDevice: toDevice?.enabled
      ? {
          since: toDevice.since === undefined ? 0 : parseStreamToken(toDevice.since, "to_device.since"),
          limit: toDevice.limit ?? defaultLimit,
        }
      : undefined,
    e2ee: json.e2ee?.enabled ?? false,
    accountData: scopeOf(json.account_data),
    receipts: scopeOf(json.receipts),
    typing: scopeOf(json.typing),
    profiles: profiles?.enabled
      ? { lists: profiles.lists, rooms: profiles.rooms, fields: profiles.fields }
      : undefined,
    stickyEvents: sticky?.enabled
      ? {
          since: sticky.since === undefined ? 0 : parseStreamToken(sticky.since, "sticky_events.since"),
          limit: sticky.limit ?? defaultLimit,
        }
      : undefined,
    threadSubscriptions: subscriptions?.enabled ? { limit: subscriptions.limit ?? defaultLimit } : undefined,
  };
}

function scopeOf(json: ScopeJson): ExtensionScope | undefined {
  return json?.enabled ? { lists: json.lists, rooms: json.rooms } : undefined;
}
