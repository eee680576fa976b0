import { getWellknown, getWellknownPolicy, getWellknownSupport } from "../../api/client/well-known.ts";
import type { Config } from "../../config/schema.ts";
import { oauthPaths } from "../../oauth/paths.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { RtcTransport } from "../../services/calls/rtc-transports.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";

export type WellKnownConfig = Pick<Config, "oauth" | "public_base_url" | "well_known">;

/** Client-server API, "Well-known URIs", "Getting support information" and "Policy servers". */
export function wellKnownHandlers(
  config: WellKnownConfig,
  transports: readonly RtcTransport[],
): BoundEndpoint[] {
  const { well_known: wellKnown } = config;
  const client = clientJson(config, transports);
  const support = supportJson(wellKnown);
  const policy = wellKnown.policy_server_key;
  return [
    handler(getWellknown, async () => client),
    handler(getWellknownSupport, async () => support ?? notThere("support information")),
    handler(getWellknownPolicy, async () =>
      policy === null ? notThere("policy server") : { public_keys: { ed25519: policy } },
    ),
  ];
}

function clientJson(
  { oauth, public_base_url: baseUrl, well_known: wellKnown }: WellKnownConfig,
  transports: readonly RtcTransport[],
): object {
  const { map_style_url: mapStyleUrl, client } = wellKnown;
  const tileServer = { map_style_url: mapStyleUrl };
  return {
    ...client,
    "m.homeserver": { base_url: baseUrl },
    // MSC2965, as clients look for it that know nothing of auth_metadata.
    ...(oauth.enabled && {
      "org.matrix.msc2965.authentication": { issuer: `${baseUrl}/`, account: baseUrl + oauthPaths.account },
    }),
    // MSC3488, under its final and its unstable name: clients of today look for the one or the other.
    ...(mapStyleUrl !== null && {
      "m.tile_server": tileServer,
      "org.matrix.msc3488.tile_server": tileServer,
    }),
    ...(transports.length > 0 && { "org.matrix.msc4143.rtc_foci": transports }),
  };
}

function supportJson({ support_page: page, support_contacts: contacts }: Config["well_known"]) {
  if (page === null && contacts.length === 0) return undefined;
  return {
    ...(contacts.length > 0 && { contacts }),
    ...(page !== null && { support_page: page }),
  };
}

function notThere(what: string): never {
  throw new MatrixError("M_NOT_FOUND", `This server names no ${what}`);
}
