import type { ProfileField, ProfileStore } from "../../profiles.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write } from "../engine/operations.ts";
import { indexUser } from "./user-directory.ts";

function fields(db: Connection, userNid: number): ProfileField[] {
  return db.all<ProfileField>(
    "SELECT name, value FROM profile_fields WHERE user_nid = ? ORDER BY name",
    userNid,
  );
}

function put(
  db: Connection,
  userNid: number,
  field: ProfileField,
  maxBytes: number,
): "changed" | "unchanged" | "too-large" {
  const before = fields(db, userNid);
  if (before.some(({ name, value }) => name === field.name && value === field.value)) return "unchanged";
  const after = [...before.filter(({ name }) => name !== field.name), field];
  if (jsonBytesOf(after) > maxBytes) return "too-large";
  db.run(
    "INSERT INTO profile_fields (user_nid, name, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
    userNid,
    field.name,
    field.value,
  );
  if (field.name === "displayname") indexUser(db, userNid);
  return "changed";
}

/** The size of `{"name":value,...}`. */
function jsonBytesOf(profile: readonly ProfileField[]): number {
  const members = profile.map(({ name, value }) => `${JSON.stringify(name)}:${value}`);
  return Buffer.byteLength(`{${members.join(",")}}`);
}

export const profileOperations: StoreOperations<ProfileStore> = {
  fields: point(fields),
  put: write(({ db }, userNid: number, field: ProfileField, maxBytes: number) =>
    put(db, userNid, field, maxBytes),
  ),
  remove: write(({ db }, userNid: number, name: string) => {
    const changed = db.run("DELETE FROM profile_fields WHERE user_nid = ? AND name = ?", userNid, name) > 0;
    if (changed && name === "displayname") indexUser(db, userNid);
    return changed;
  }),
};
