import { createHash } from "node:crypto";
import type { Stores } from "../database.ts";

/** A local user with an account and the given devices. Returns the user's integer ID. */
export async function userWithDevices(stores: Stores, name: string, deviceIds: string[]): Promise<number> {
  const userNid = await stores.names.internUser(`@${name}:hearth.test`, true);
  for (const deviceId of deviceIds) {
    await stores.sessions.start(userNid, {
      accessTokenHash: createHash("sha256").update(`${name} ${deviceId}`).digest(),
      expiresTs: null,
      refreshTokenHash: null,
      deviceId,
      displayName: `${name}'s ${deviceId}`,
      createdTs: 1,
    });
  }
  return userNid;
}
