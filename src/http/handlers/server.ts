import { getVersions } from "../../api/client/server.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { JsonChunks } from "../reply.ts";

/**
 * Releases of the specification. Clients take a release's name for its features, so one is listed when what it added is
 * served, but for endpoints that they find to be missing by M_UNRECOGNIZED.
 */
const specVersions = [
  "r0.6.1",
  "v1.1",
  "v1.2",
  "v1.3",
  "v1.4",
  "v1.5",
  "v1.6",
  "v1.7",
  "v1.8",
  "v1.9",
  "v1.10",
  "v1.11",
  "v1.12",
  "v1.13",
  "v1.14",
  "v1.15",
  "v1.16",
  "v1.17",
  "v1.18",
  "v1.19",
];

/** Features by the names that clients look for, be it that they do not know of their releases or that those are not listed. */
const unstableFeatures = {
  // Redactions by way of /send, since v1.18.
  "com.beeper.msc4169": true,
  // Cross-signing, since v1.1: Element Web set it up for servers only that said so, up to 2025.
  "org.matrix.e2e_cross_signing": true,
  // /messages without those of threads.
  "org.matrix.msc3874": true,
  // Media for users of the server only, since v1.11.
  "org.matrix.msc3916.stable": true,
  // Users who take no invites, since v1.18.
  "org.matrix.msc4380.stable": true,
  // Profile fields, since v1.16, under the unstable and the stable path.
  "uk.tcpip.msc4133": true,
  "uk.tcpip.msc4133.stable": true,
  // Mutual rooms, since v1.19, under the unstable and the stable path.
  "uk.half-shot.msc2666.query_mutual_rooms": true,
  "uk.half-shot.msc2666.query_mutual_rooms.stable": true,
  // Delayed events, merged but not released, under the unstable and the stable paths, and their lists.
  "org.matrix.msc4140": true,
  "org.matrix.msc4140.stable": true,
  "org.matrix.msc4486": true,
  // Read markers that may go back.
  "com.beeper.msc4446": true,
  // Deletion of account data.
  "org.matrix.msc3391": true,
  // Invites of certain users and servers only may be blocked or ignored.
  "org.matrix.msc4155": true,
  // Invites from strangers only may be blocked, and new rooms say why people are invited.
  "uk.timedout.msc4494": true,
  "uk.timedout.msc4491.create_room_invite_reasons": true,
  // How calls are carried.
  "org.matrix.msc4143": true,
  // Signing in another device by QR code, in the form of 2024.
  "org.matrix.msc4108": true,
  // Subscriptions of threads, with their extension of sliding sync (MSC4308).
  "org.matrix.msc4306": true,
  // Profiles in both kinds of sync.
  "org.matrix.msc4262": true,
  "org.matrix.msc4429": true,
  // Sticky events, with their extension of sliding sync (MSC4480).
  "org.matrix.msc4354": true,
  // Pings of application services, since v1.7.
  "fi.mau.msc2659.stable": true,
  // Pushers that are switched on and off from other devices.
  "org.matrix.msc3881": true,
  // Summaries of rooms, since v1.15, under the unstable and the stable path.
  "org.matrix.msc3266": true,
  // Simplified sliding sync.
  "org.matrix.simplified_msc3575": true,
};

/** Client-server API, "API versions". */
export function serverHandlers(): BoundEndpoint[] {
  const text = JSON.stringify({ versions: specVersions, unstable_features: unstableFeatures });
  const versions = new JsonChunks([text]);
  return [handler(getVersions, async () => versions)];
}
