import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

const path = "/_matrix/client/unstable/io.element.msc4306/rooms/{roomId}/thread/{eventId}/subscription";

/** MSC4306. */
export const getThreadSubscription = endpoint({
  operationId: "getThreadSubscription",
  method: "GET",
  path,
  versions: [],
  access: "user",
  rateLimit: "default",
});

/** MSC4306. */
export const subscribeToThread = endpoint({
  operationId: "subscribeToThread",
  method: "PUT",
  path,
  versions: [],
  access: "user",
  rateLimit: "default",
  body: Type.Object({ automatic: Type.Optional(Type.String()) }),
});

/** MSC4306. */
export const unsubscribeFromThread = endpoint({
  operationId: "unsubscribeFromThread",
  method: "DELETE",
  path,
  versions: [],
  access: "user",
  rateLimit: "default",
});

/** MSC4308. */
export const getThreadSubscriptions = endpoint({
  operationId: "getThreadSubscriptions",
  method: "GET",
  path: "/_matrix/client/unstable/io.element.msc4308/thread_subscriptions",
  versions: [],
  access: "user",
  rateLimit: "default",
  query: Type.Object({
    dir: Type.Enum(["b"]),
    from: Type.Optional(Type.String()),
    to: Type.Optional(Type.String()),
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
  }),
});
