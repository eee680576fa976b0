/** How calls are carried (MSC4195, the only one that there is). */
export interface RtcTransport {
  readonly type: "livekit";
  readonly livekit_service_url: string;
}

/** What the server has for calls, the best first (MSC4143). */
export function rtcTransports(livekitServiceUrls: readonly string[]): readonly RtcTransport[] {
  return livekitServiceUrls.map((url) => ({ type: "livekit", livekit_service_url: url }));
}
