import { slidingSyncV4 } from "../../api/client/sliding-sync-v4.ts";
import type { BodyOf } from "../../api/endpoint.ts";
import { isOpaqueIdentifier, isRoomId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type {
  Extensions,
  ListConfig,
  RoomConfig,
  SlidingRequest,
} from "../../sync/sliding/sliding-request.ts";
import type { SlidingSync } from "../../sync/sliding/sliding-sync.ts";
import type { StatePattern } from "../../sync/sliding/state-rules.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { JsonChunks } from "../reply.ts";
import { extensionsOf, maxTimelineLimit } from "./sliding-sync.ts";

type Body = BodyOf<typeof slidingSyncV4>;
type ListJson = NonNullable<Body["lists"]>[string];
type RoomConfigJson = Pick<ListJson, "timeline_limit" | "required_state">;
type PatternsJson = RoomConfigJson["required_state"]["include"];
type Presence = SlidingRequest["setPresence"];

/** "If a request contains more than this the server will respond with M_INVALID_PARAM." */
const maxLists = 100;
const maxSubscriptions = 100;

/** MSC4186 as it was merged: the same sliding sync, asked for in another form. */
export function slidingSyncV4Handlers(sync: SlidingSync): BoundEndpoint[] {
  return [
    handler(slidingSyncV4, async ({ requester, body, context }) => {
      const pieces = await sync.sync(
        {
          isMergedForm: true,
          device: requester,
          connectionId: body.conn_id ?? "",
          pos: body.pos,
          transactionId: undefined,
          timeoutMs: body.timeout ?? 0,
          setPresence: presenceOf(body.set_presence),
          lists: listsOf(body),
          subscriptions: subscriptionsOf(body),
          extensions: extensionsV4(body.extensions ?? {}),
        },
        context.signal,
      );
      return new JsonChunks(pieces);
    }),
  ];
}

/** "An unknown value will result in a 400 error response with code M_INVALID_PARAM." */
function presenceOf(value = "online"): Presence {
  if (value === "online" || value === "offline" || value === "unavailable") return value;
  throw invalid("set_presence is online, offline or unavailable");
}

function listsOf({ lists = {} }: Body): ReadonlyMap<string, ListConfig> {
  const entries = Object.entries(lists);
  if (entries.length > maxLists) throw invalid(`There may be at most ${maxLists} lists`);
  return new Map(
    entries.map(([key, list]) => {
      if (!isOpaqueIdentifier(key)) throw invalid("The key of a list is a word of letters, digits and ._~-");
      const { is_invited: isInvited, ...filters } = list.filters ?? {};
      const config = { ranges: rangesOf(key, list), filters: { ...filters, is_invite: isInvited } };
      return [key, { ...roomConfigOf(list), ...config }];
    }),
  );
}

function rangesOf(key: string, { range }: ListJson): ListConfig["ranges"] {
  if (!range) return undefined;
  const [first = 0, last = 0] = range;
  if (first > last) throw invalid(`The range of the list "${key}" ends before it begins`);
  return [[first, last]];
}

function subscriptionsOf({ room_subscriptions: subscriptions = {} }: Body): ReadonlyMap<string, RoomConfig> {
  const entries = Object.entries(subscriptions);
  if (entries.length > maxSubscriptions) {
    throw invalid(`There may be at most ${maxSubscriptions} room_subscriptions`);
  }
  return new Map(
    entries.map(([roomId, config]) => {
      if (isRoomId(roomId)) return [roomId, roomConfigOf(config)];
      throw invalid(`room_subscriptions has a key that is not a room ID: ${roomId.slice(0, 255)}`);
    }),
  );
}

function roomConfigOf({ timeline_limit: limit, required_state: state }: RoomConfigJson): RoomConfig {
  return {
    timelineLimit: Math.min(limit, maxTimelineLimit),
    requiredState: {
      include: patternsOf(state.include),
      exclude: patternsOf(state.exclude),
      isLazy: state.lazy_members ?? false,
    },
  };
}

function patternsOf(patterns: PatternsJson = []): StatePattern[] {
  return patterns.map(({ type, state_key: stateKey }) => [type ?? null, stateKey ?? null]);
}

const earlyToDevice = "org.matrix.msc4538.to_device";
const earlyE2ee = "org.matrix.msc4543.e2ee";
const earlyTyping = "org.matrix.msc4508.typing";

/** Extensions by either of their names; the answer has the one by which they were asked for. */
function extensionsV4(json: NonNullable<Body["extensions"]>): Extensions {
  const toDevice = json[earlyToDevice] ?? json.to_device;
  const e2ee = json[earlyE2ee] ?? json.e2ee;
  const typing = json[earlyTyping] ?? json.typing;
  if (toDevice?.limit === 0) throw invalid("The limit of to-device messages is at least 1");
  const extensions = extensionsOf({
    ...json,
    ...(toDevice && { to_device: toDevice }),
    ...(e2ee && { e2ee }),
    ...(typing && { typing }),
  });
  const names: Extensions["names"] = {
    ...(json[earlyToDevice] && { to_device: earlyToDevice }),
    ...(json[earlyE2ee] && { e2ee: earlyE2ee }),
    ...(json[earlyTyping] && { typing: earlyTyping }),
  };
  return { ...extensions, names };
}

function invalid(message: string): MatrixError {
  return new MatrixError("M_INVALID_PARAM", message);
}
