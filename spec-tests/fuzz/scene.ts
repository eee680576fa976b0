import sharp from "sharp";
import { anonymous, passwordAuth, registerUser, testPassword, type TestClient } from "../support/client.ts";
import { makeCrossSigning, makeDevice } from "../support/keys.ts";
import { upload } from "../support/media.ts";
import { makeRequestSamples } from "../support/request-samples.ts";
import { join, sync } from "../support/rooms.ts";
import type { TestServer } from "../support/server.ts";
import type { Vocabulary } from "./arbitrary-json.ts";
import type { KnownNames, Sender } from "./arbitrary-request.ts";

const v3 = "/_matrix/client/v3";

/** People and a room of theirs, for some hundred requests: these may log them out, lock them or ruin the room. */
export interface Scene {
  readonly tokens: Readonly<Record<Sender, string | undefined>>;
  readonly known: KnownNames;
  readonly values: Vocabulary["values"];
}

export async function makeScene(server: TestServer): Promise<Scene> {
  const { user, admin, guest, parameters } = await makeRequestSamples(server);
  const other = await registerUser(server);
  await join(other, parameters["roomId"] ?? "");
  const known = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, [value]]));
  const named = (name: string, ...more: string[]) => ({ [name]: [...(known[name] ?? []), ...more] });
  return {
    tokens: {
      user: user.accessToken,
      other: other.accessToken,
      guest: guest.accessToken,
      admin: admin.accessToken,
      nobody: undefined,
      stranger: "unknown",
    },
    known: {
      ...known,
      ...named("userId", other.userId, guest.userId, admin.userId),
      ...named("deviceId", other.deviceId),
      ...named("mediaId", ...(await mediaIds(user))),
      ...named("stateKey", user.userId, other.userId, ""),
      ...named("roomIdOrAlias", parameters["roomAlias"] ?? ""),
      ...named("txnId", "1", "2", "3", "4", "5", "6", "7", "8"),
    },
    values: { ...(await valuesOf(user)), user_id: [other.userId, guest.userId], ...pushRuleValues },
  };
}

const pushRuleValues = {
  actions: [["notify"], [{ set_tweak: "sound", value: "default" }, "notify"]],
  conditions: [[{ kind: "event_match", key: "content.body", pattern: "a*b" }]],
  pattern: ["*x*"],
};

/** A picture, and a file that is still to be uploaded. */
async function mediaIds(user: TestClient): Promise<string[]> {
  const background = { r: 200, g: 80, b: 20 };
  const picture = sharp({ create: { width: 64, height: 48, channels: 3, background } });
  const png = new Uint8Array(await picture.png().toBuffer());
  const uploaded = await upload(user, png, { type: "image/png" });
  const reserved = await user.post("/_matrix/media/v1/create", {});
  return [uploaded, String(reserved.body["content_uri"])].map((uri) => uri.slice(uri.lastIndexOf("/") + 1));
}

async function valuesOf(user: TestClient): Promise<Vocabulary["values"]> {
  const refreshable = await anonymous(user.server).post(`${v3}/login`, {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: user.userId },
    password: testPassword,
    refresh_token: true,
  });
  const { nextBatch } = await sync(user);
  const keys = makeCrossSigning(user).body;
  return {
    auth: [passwordAuth(user), { type: "m.login.dummy" }],
    type: ["m.login.password", "m.login.token", "m.room.topic"],
    password: [testPassword],
    new_password: [testPassword],
    identifier: [{ type: "m.id.user", user: user.userId }],
    refresh_token: [refreshable.body["refresh_token"]],
    version: ["1"],
    since: [nextBatch],
    from: [nextBatch],
    to: [nextBatch],
    at: [nextBatch],
    device_keys: [makeDevice(user).deviceKeys],
    ...Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, [key]])),
  };
}
