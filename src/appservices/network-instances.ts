import type { DirectoryNetwork } from "../storage/room-summaries.ts";
import type { AppserviceRegistry } from "./registry.ts";

/**
 * How clients name the network of an application service (`instance_id` of `/thirdparty/protocols`, and
 * `third_party_instance_id` of `/publicRooms`).
 */
export function instanceIdOf({ appserviceId, networkId }: DirectoryNetwork): string {
  return `${appserviceId}|${networkId}`;
}

/** The network that an instance ID names; `undefined` where no such application service is. */
export function networkOf(appservices: AppserviceRegistry, instanceId: string): DirectoryNetwork | undefined {
  const owner = appservices.all.find(({ id }) => instanceId.startsWith(`${id}|`));
  return owner && { appserviceId: owner.id, networkId: instanceId.slice(owner.id.length + 1) };
}
