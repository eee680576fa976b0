import {
  deleteDevice,
  deleteDevices,
  getDevice,
  getDevices,
  updateDevice,
} from "../../api/client/devices.ts";
import type { InteractiveAuth } from "../../auth/interactive.ts";
import type { AppserviceAccounts } from "../../services/accounts/appservice-accounts.ts";
import type { Devices } from "../../services/devices.ts";
import type { Device } from "../../storage/devices.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { Reply } from "../reply.ts";

/** Client-server API, "Device Management". */
export function deviceHandlers(
  devices: Devices,
  interactive: InteractiveAuth,
  appservices: AppserviceAccounts,
): BoundEndpoint[] {
  return [
    handler(getDevices, async ({ requester }) => ({
      devices: (await devices.list(requester)).map(deviceJson),
    })),
    handler(getDevice, async ({ requester, params }) =>
      deviceJson(await devices.get(requester, params.deviceId)),
    ),
    handler(updateDevice, async ({ requester, params, body }) => {
      const { deviceId } = params;
      // "The ability to create new devices is only available to application services."
      const mayCreate = requester.appserviceId !== undefined;
      if (mayCreate && (await appservices.createDevice(requester.userNid, deviceId, body.display_name))) {
        return new Reply(201, {});
      }
      if (body.display_name === undefined) await devices.get(requester, params.deviceId);
      else await devices.rename(requester, params.deviceId, body.display_name);
      return {};
    }),
    handler(deleteDevice, async (request) => {
      await interactive.confirmIdentity(request);
      await devices.remove(request.requester, [request.params.deviceId]);
      return {};
    }),
    handler(deleteDevices, async (request) => {
      await interactive.confirmIdentity(request);
      await devices.remove(request.requester, request.body.devices);
      return {};
    }),
  ];
}

function deviceJson({ deviceId, displayName, lastSeenTs, lastSeenIp }: Device): object {
  return {
    device_id: deviceId,
    ...(displayName !== null && { display_name: displayName }),
    ...(lastSeenTs !== null && { last_seen_ts: lastSeenTs }),
    ...(lastSeenIp !== null && { last_seen_ip: lastSeenIp }),
  };
}
