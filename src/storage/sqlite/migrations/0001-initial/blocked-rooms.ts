/** Rooms that nobody may join; see `stores/blocked-rooms.ts`. */
export const blockedRooms = `
-- They need not be known here. A row goes when an administrator lets people in again.
CREATE TABLE blocked_rooms (
  room_id TEXT PRIMARY KEY,
  -- The user ID of the administrator.
  blocked_by TEXT NOT NULL,
  blocked_ts INTEGER NOT NULL
) WITHOUT ROWID;
`;
