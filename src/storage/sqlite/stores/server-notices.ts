import type { ServerNoticeStore } from "../../server-notices.ts";
import { point, type StoreOperations, write } from "../engine/operations.ts";

const roomQuery = "SELECT room_nid AS roomNid FROM server_notice_rooms WHERE user_nid = ?";
const isNoticeRoomQuery = "SELECT 1 FROM server_notice_rooms WHERE room_nid = ?";

export const serverNoticeOperations: StoreOperations<ServerNoticeStore> = {
  roomOf: point((db, userNid: number) => db.get<{ roomNid: number }>(roomQuery, userNid)?.roomNid),
  setRoom: write(({ db }, userNid: number, roomNid: number) => {
    db.run(
      `INSERT INTO server_notice_rooms (user_nid, room_nid) VALUES (?, ?)
      ON CONFLICT DO UPDATE SET room_nid = excluded.room_nid`,
      userNid,
      roomNid,
    );
  }),
  isNoticeRoom: point((db, roomNid: number) => db.get(isNoticeRoomQuery, roomNid) !== undefined),
};
