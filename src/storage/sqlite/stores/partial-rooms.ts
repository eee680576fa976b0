import type { PartialRoomRow, PartialRoomStore } from "../../partial-rooms.ts";
import { point, type StoreOperations, write } from "../engine/operations.ts";

type StoredRow = Omit<PartialRoomRow, "servers"> & { readonly servers: string };

export const partialRoomOperations: StoreOperations<PartialRoomStore> = {
  all: point((db) =>
    db
      .all<StoredRow>("SELECT room_nid AS roomNid, join_id AS joinId, servers FROM partial_rooms")
      .map((row) => ({ ...row, servers: JSON.parse(row.servers) as string[] })),
  ),
  completed: point((db) =>
    db.all<{ roomNid: number; position: number }>(
      "SELECT room_nid AS roomNid, whole_position AS position FROM rooms WHERE whole_position IS NOT NULL",
    ),
  ),
  begin: write(({ db }, { roomNid, joinId, servers }: PartialRoomRow) => {
    db.run(
      `INSERT INTO partial_rooms (room_nid, join_id, servers) VALUES (?, ?, ?)
       ON CONFLICT (room_nid) DO UPDATE SET join_id = excluded.join_id, servers = excluded.servers`,
      roomNid,
      joinId,
      JSON.stringify(servers),
    );
  }),
  end: write(({ db }, roomNid: number) => {
    db.run("DELETE FROM partial_rooms WHERE room_nid = ?", roomNid);
  }),
};
