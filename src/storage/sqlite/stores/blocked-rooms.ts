import type { BlockedRoom, BlockedRoomStore } from "../../blocked-rooms.ts";
import { point, type StoreOperations, write } from "../engine/operations.ts";

export const blockedRoomOperations: StoreOperations<BlockedRoomStore> = {
  find: point((db, roomId: string) =>
    db.get<BlockedRoom>(
      "SELECT room_id AS roomId, blocked_by AS blockedBy, blocked_ts AS blockedTs FROM blocked_rooms WHERE room_id = ?",
      roomId,
    ),
  ),
  add: write(({ db }, { roomId, blockedBy, blockedTs }: BlockedRoom) => {
    db.run(
      "INSERT INTO blocked_rooms (room_id, blocked_by, blocked_ts) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      roomId,
      blockedBy,
      blockedTs,
    );
  }),
  remove: write(({ db }, roomId: string) => {
    db.run("DELETE FROM blocked_rooms WHERE room_id = ?", roomId);
  }),
};
