import * as api from "../../api/client/third-party-networks.ts";
import type { ThirdPartyNetworks } from "../../appservices/third-party.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";

/** What the server itself takes from a query. */
const ownParameters = ["access_token", "user_id", "device_id", "org.matrix.msc3202.device_id"];

/** Client-server API, "Third-party Lookups". */
export function thirdPartyNetworkHandlers(networks: ThirdPartyNetworks): BoundEndpoint[] {
  return [
    handler(api.getProtocols, () => networks.protocols()),
    handler(api.getProtocolMetadata, ({ params }) => networks.protocol(params.protocol)),
    handler(api.queryUserByProtocol, ({ params, context }) =>
      networks.byProtocol("user", params.protocol, fieldsOf(context.search)),
    ),
    handler(api.queryLocationByProtocol, ({ params, context }) =>
      networks.byProtocol("location", params.protocol, fieldsOf(context.search)),
    ),
    handler(api.queryUserById, ({ query }) => networks.byName("user", query.userid)),
    handler(api.queryLocationByAlias, ({ query }) => networks.byName("location", query.alias)),
  ];
}

function fieldsOf(search: string): URLSearchParams {
  const fields = new URLSearchParams(search);
  for (const name of ownParameters) fields.delete(name);
  return fields;
}
