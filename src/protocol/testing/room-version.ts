import { roomVersion } from "../room-versions.ts";
import type { RoomVersion } from "../room-versions.ts";

/** The rules of a room version that is known to exist. */
export function rulesOfVersion(id: string): RoomVersion {
  const version = roomVersion(id);
  if (version === undefined) throw new Error(`There is no room version ${id}.`);
  return version;
}
