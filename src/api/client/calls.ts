import { endpoint } from "../endpoint.ts";

export const getTurnServer = endpoint({
  operationId: "getTurnServer",
  method: "GET",
  path: "/voip/turnServer",
  versions: ["v3", "r0"],
  access: "user",
  rateLimit: "default",
});

/** MSC4143, under its unstable path. */
export const getRtcTransports = endpoint({
  operationId: "getRtcTransports",
  method: "GET",
  path: "/_matrix/client/unstable/org.matrix.msc4143/rtc/transports",
  versions: [],
  access: "user",
  guests: true,
  rateLimit: "default",
});
