import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type EndpointDeclaration, pathsOf } from "../../src/api/endpoint.ts";
import { anonymous, registerAdmin, registerUser, TestClient } from "./client.ts";
import { createRoom, say } from "./rooms.ts";
import type { TestServer } from "./server.ts";
import { patienceMs, until } from "./within.ts";

const client = "/_matrix/client/v3";

/** An application service that wants to hear nothing. */
const appservice = { id: "sample", asToken: "as-token-of-sample" };

/**
 * The configuration of a server that the samples are for.
 * @param folder of the test's own
 */
export function samplesConfig(folder: string): { application_services: string[] } {
  const file = join(folder, "appservice.yaml");
  const registration = {
    id: appservice.id,
    url: null,
    as_token: appservice.asToken,
    hs_token: "hs-token-of-sample",
    sender_localpart: "_sample_bot",
    namespaces: {},
  };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(registration));
  return { application_services: [file] };
}

/** People, and one of everything that a path can name, all of it theirs. */
export interface RequestSamples {
  readonly user: TestClient;
  readonly admin: TestClient;
  readonly guest: TestClient;
  /** A value for each path parameter, by its name. */
  readonly parameters: Readonly<Record<string, string>>;
}

export async function makeRequestSamples(server: TestServer): Promise<RequestSamples> {
  const user = await registerUser(server);
  const alias = `#sample-${user.deviceId.toLowerCase()}:hearth.test`;
  const roomId = await createRoom(user, { room_alias_name: alias.slice(1, alias.indexOf(":")) });
  const eventId = await say(user, roomId, "Hello");
  const filter = await user.post(`${client}/user/${encodeURIComponent(user.userId)}/filter`, {});
  const backup = await user.post(`${client}/room_keys/version`, { algorithm: "sample", auth_data: {} });
  const media = await user.post("/_matrix/media/v3/upload", { any: "bytes" });
  const [, , serverName = "", mediaId = ""] = String(media.body["content_uri"]).split("/");
  const delayed = await user.put(
    `${client}/rooms/${encodeURIComponent(roomId)}/delayed_event/org.example.sample/delayed`,
    { delay_ms: 24 * 60 * 60 * 1000, content: {} },
  );
  const admin = await registerAdmin(server);
  const closed = await createRoom(user, {});
  await admin.delete(`/_synapse/admin/v1/rooms/${encodeURIComponent(closed)}`, {});
  const [deletion] = (await admin.get("/_hearth/admin/v1/jobs")).body["jobs"] as { id: string }[];
  const deleteId = deletion?.id ?? "";
  const purgeId = await purgeRoom(admin, user);
  const registrationToken = await admin.post("/_synapse/admin/v1/registration_tokens/new", {});
  return {
    user,
    admin,
    guest: await registerGuest(server),
    parameters: {
      userId: user.userId,
      deviceId: user.deviceId,
      roomId,
      roomIdOrAlias: roomId,
      roomAlias: alias,
      eventId,
      eventType: "org.example.sample",
      stateKey: "sample",
      txnId: "a-transaction",
      relType: "m.annotation",
      receiptType: "m.read",
      type: "org.example.sample",
      tag: "u.sample",
      keyName: "displayname",
      filterId: String(filter.body["filter_id"]),
      version: String(backup.body["version"]),
      sessionId: "sample",
      serverName,
      mediaId,
      fileName: "sample.json",
      kind: "override",
      ruleId: ".m.rule.master",
      authType: "m.login.registration_token",
      idpId: "sample",
      appserviceId: appservice.id,
      networkId: "sample",
      protocol: "sample",
      jobId: deleteId,
      deleteId,
      purgeId,
      medium: "email",
      address: "sample@example.org",
      providerId: "sample",
      externalId: "sample",
      token: String(registrationToken.body["token"]),
      delayId: String(delayed.body["delay_id"]),
    },
  };
}

/** Purges the history of a room, and returns the purge's ID once that has ended: what is not asked for must not change. */
async function purgeRoom(admin: TestClient, user: TestClient): Promise<string> {
  const roomId = await createRoom(user, {});
  const path = ["purge_history", roomId, await say(user, roomId, "Hello")].map(encodeURIComponent).join("/");
  const { body } = await admin.post(`/_synapse/admin/v1/${path}`, {});
  const purgeId = String(body["purge_id"]);
  const status = () => admin.get(`/_synapse/admin/v1/purge_history_status/${purgeId}`);
  await until(patienceMs, "the purge", async () => (await status()).body["status"] === "complete");
  return purgeId;
}

async function registerGuest(server: TestServer): Promise<TestClient> {
  const { body } = await anonymous(server).post(`${client}/register?kind=guest`, {});
  const { user_id: userId, device_id: deviceId, access_token: accessToken } = body;
  return new TestClient(server, {
    userId: String(userId),
    deviceId: String(deviceId),
    accessToken: String(accessToken),
  });
}

/**
 * A path with its parameters filled in and encoded.
 * @throws when there is no sample of a parameter
 */
export function fillPath(path: string, parameters: Readonly<Record<string, string>>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_braces, name: string) => {
    const value = parameters[name];
    if (value === undefined) throw new Error(`${path}: give request-samples.ts a sample of ${name}`);
    return encodeURIComponent(value);
  });
}

/** Whether an endpoint cannot be called without an access token. */
export function needsToken({ access }: EndpointDeclaration): boolean {
  return access === "user" || access === "admin" || access === "appservice";
}

/** The access token of somebody who may call an endpoint. */
export function allowedToken({ access }: EndpointDeclaration, { user, admin }: RequestSamples): string {
  if (access === "appservice") return appservice.asToken;
  return access === "admin" ? admin.accessToken : user.accessToken;
}

/** Tells the methods that some endpoint has under a path that is filled in. */
export function methodsByPath(declarations: readonly EndpointDeclaration[]): (path: string) => Set<string> {
  const patterns = declarations.flatMap((declaration) =>
    pathsOf(declaration)
      .flatMap((path) => (declaration.trailingSlash ? [path, `${path}/`] : [path]))
      .map((path) => ({ method: declaration.method, pattern: patternOf(path) })),
  );
  return (path) => new Set(patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method));
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`);
}
