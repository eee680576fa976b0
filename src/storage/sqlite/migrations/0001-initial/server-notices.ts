/** Rooms for notices of the server; see `stores/server-notices.ts`. */
export const serverNotices = `
-- One for each user who has had a notice; it goes with the account.
CREATE TABLE server_notice_rooms (
  user_nid INTEGER PRIMARY KEY,
  room_nid INTEGER NOT NULL
);
-- Whoever leaves a room may be leaving one of these.
CREATE INDEX server_notice_rooms_room ON server_notice_rooms (room_nid);
`;
