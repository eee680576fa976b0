/** Connections of simplified sliding sync; see `stores/sliding-sync.ts`. */
export const slidingSync = `
-- What a version of a connection's positions stands for. Two versions a connection at most, so many connections a device;
-- rows go with their device, and each write takes the oldest of all away once they are a month old.
CREATE TABLE sliding_sync_connections (
  user_nid INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  version TEXT NOT NULL,
  -- See sync/sliding/connection-state.ts.
  state TEXT NOT NULL,
  stored_ts INTEGER NOT NULL,
  PRIMARY KEY (user_nid, device_id, connection_id, version)
) WITHOUT ROWID;
CREATE INDEX sliding_sync_connections_age ON sliding_sync_connections (stored_ts);
`;
