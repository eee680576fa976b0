import { getVersions, getWellknown } from "../../api/client/server.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";

/** Releases of the specification whose client-server API is served. */
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
];

/** What is served of newer releases, by the names that clients look for. */
const features = {
  // Profile fields of any name (v1.16).
  "uk.tcpip.msc4133.stable": true,
};

/** Client-server API, "API versions" and "Well-known URIs". */
export function serverHandlers(publicBaseUrl: string): BoundEndpoint[] {
  const versions = { versions: specVersions, unstable_features: features };
  const wellKnown = { "m.homeserver": { base_url: publicBaseUrl } };
  return [handler(getVersions, async () => versions), handler(getWellknown, async () => wellKnown)];
}
