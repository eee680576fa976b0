import type { Requester } from "../auth/requester.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { PusherStore } from "../storage/pushers.ts";
import type { Clock } from "../telemetry/clock.ts";

/** MSC3881, under its unstable names. */
const enabledKey = "org.matrix.msc3881.enabled";
const deviceKey = "org.matrix.msc3881.device_id";

/** A pusher as a client sets it. */
export interface PusherSettings {
  readonly kind: string;
  readonly app_id: string;
  readonly pushkey: string;
  readonly app_display_name?: string;
  readonly device_display_name?: string;
  readonly profile_tag?: string;
  readonly lang?: string;
  /** Passed on to the gateway, without the URL; it may have any further keys. */
  readonly data?: { readonly url?: string; readonly format?: string };
  readonly append?: boolean;
  /** Without it the pusher is enabled. */
  readonly [enabledKey]?: boolean;
}

/** Told of a user who has set a pusher, once it is stored. */
export type PusherListener = (userNid: number) => Promise<void>;

const maxPushkeyBytes = 512;
const maxAppIdLength = 64;
/** `data` is the client's own, and all of it is kept. */
const maxDescriptionBytes = 16 * 1024;
const gatewayPath = "/_matrix/push/v1/notify";
const needed = ["app_display_name", "device_display_name", "lang", "data"] as const;

/** Users' pushers (client-server API, "Push Notifications"). */
export class PusherService {
  readonly #store: PusherStore;
  readonly #clock: Clock;
  readonly #changed: PusherListener;

  constructor(store: PusherStore, clock: Clock, changed: PusherListener) {
    this.#store = store;
    this.#clock = clock;
    this.#changed = changed;
  }

  /** JSON objects, as clients get them. */
  async descriptionsOf(userNid: number): Promise<readonly string[]> {
    const pushers = await this.#store.ofUser(userNid);
    return pushers.map(
      ({ description, deviceId, isEnabled }) =>
        `${description.slice(0, -1)},"${enabledKey}":${isEnabled},"${deviceKey}":${JSON.stringify(deviceId)}}`,
    );
  }

  /**
   * Makes a pusher, or changes it. It goes with the device that has set it last; but one that says whether it is enabled
   * stays with its device, since another one may have switched it on or off.
   * @throws MatrixError M_MISSING_PARAM, M_INVALID_PARAM, M_TOO_LARGE.
   */
  async set({ userNid, deviceId }: Requester, { append = false, ...pusher }: PusherSettings): Promise<void> {
    checkSettings(pusher);
    const { app_id: appId, pushkey, kind, app_display_name, device_display_name, profile_tag, lang } = pusher;
    const description = JSON.stringify({
      app_id: appId,
      pushkey,
      kind,
      app_display_name,
      device_display_name,
      profile_tag,
      lang,
      data: pusher.data,
    });
    if (Buffer.byteLength(description) > maxDescriptionBytes) {
      throw new MatrixError("M_TOO_LARGE", `A pusher may have ${maxDescriptionBytes} bytes in all`);
    }
    const setTs = this.#clock.nowMs();
    const isEnabled = pusher[enabledKey] ?? true;
    await this.#store.set(
      { userNid, deviceId, appId, pushkey, setTs, isEnabled, description },
      { append, keepsDevice: pusher[enabledKey] !== undefined },
    );
    await this.#changed(userNid);
  }

  /** Nothing happens when the user has no such pusher. */
  async remove(userNid: number, appId: string, pushkey: string): Promise<void> {
    await this.#store.remove(userNid, appId, pushkey);
  }
}

function checkSettings(pusher: PusherSettings): void {
  if (pusher.kind !== "http") {
    throw new MatrixError("M_INVALID_PARAM", 'This server has pushers of kind "http" only');
  }
  if (Buffer.byteLength(pusher.pushkey) > maxPushkeyBytes || pusher.pushkey === "") {
    throw new MatrixError("M_INVALID_PARAM", `pushkey has to have 1 to ${maxPushkeyBytes} bytes`);
  }
  if (pusher.app_id.length > maxAppIdLength || pusher.app_id === "") {
    throw new MatrixError("M_INVALID_PARAM", `app_id has to have 1 to ${maxAppIdLength} characters`);
  }
  const missing = needed.filter((key) => pusher[key] === undefined);
  if (missing.length > 0) {
    throw new MatrixError("M_MISSING_PARAM", `Missing parameters: ${missing.join(", ")}`);
  }
  if (pusher.data?.url === undefined)
    throw new MatrixError("M_MISSING_PARAM", "Missing parameters: data.url");
  checkGatewayUrl(pusher.data.url);
  const { format } = pusher.data;
  if (format !== undefined && format !== "event_id_only") {
    throw new MatrixError("M_INVALID_PARAM", "data.format has to be event_id_only, or be left away");
  }
}

/** "MUST be an HTTPS URL with a path of `/_matrix/push/v1/notify`." */
function checkGatewayUrl(text: string): void {
  const url = URL.parse(text);
  const fits = url?.protocol === "https:" && url.pathname === gatewayPath && url.hash === "";
  if (!fits || url.username !== "" || url.password !== "") {
    throw new MatrixError("M_INVALID_PARAM", `data.url has to be an https URL with the path ${gatewayPath}`);
  }
}
