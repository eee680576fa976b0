/** Uploaded files and their thumbnails; see `stores/media.ts`. The bytes are in the blob store. */
export const media = `
-- What local users uploaded: stays until somebody deletes it, or as long as the configuration says. Places reserved for an
-- upload expire after a day, what the server has fetched for a URL preview after a week.
CREATE TABLE media (
  media_id TEXT PRIMARY KEY,
  -- NULL: fetched by the server itself.
  user_nid INTEGER,
  -- When the content came; when the place was reserved, as long as there is none.
  created_ts INTEGER NOT NULL,
  -- NULL until the content has been uploaded, as the four that follow.
  sha256 TEXT,
  size_bytes INTEGER,
  content_type TEXT,
  filename TEXT,
  -- When it is given up; NULL: it stays.
  expires_ts INTEGER,
  quarantined INTEGER NOT NULL DEFAULT 0,
  last_access_ts INTEGER
) WITHOUT ROWID;
-- Whether a blob is still needed.
CREATE INDEX media_blobs ON media (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX media_expiry ON media (expires_ts) WHERE expires_ts IS NOT NULL;
-- What nobody has asked for in a long time.
CREATE INDEX media_last_use ON media (coalesce(last_access_ts, created_ts)) WHERE sha256 IS NOT NULL;
-- A user's uploads and their total; pending ones have an expiry.
CREATE INDEX media_user ON media (user_nid, expires_ts, size_bytes);

-- Files of other servers, fetched when somebody here asked for them. Those that nobody has asked for longest go when all
-- together take more room than the configuration allows, and after so long as it says.
CREATE TABLE remote_media (
  server_name TEXT NOT NULL,
  media_id TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  filename TEXT,
  fetched_ts INTEGER NOT NULL,
  last_access_ts INTEGER NOT NULL,
  quarantined INTEGER NOT NULL,
  PRIMARY KEY (server_name, media_id)
) WITHOUT ROWID;
-- Whether a blob is still needed.
CREATE INDEX remote_media_blobs ON remote_media (sha256);
-- What nobody has asked for in a long time, and the sizes of all.
CREATE INDEX remote_media_last_use ON remote_media (quarantined, last_access_ts, size_bytes);

-- A bounded set of variants for a picture; they go with the last file that has these bytes.
CREATE TABLE thumbnails (
  source_sha256 TEXT NOT NULL,
  variant TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  PRIMARY KEY (source_sha256, variant)
) WITHOUT ROWID;
-- Whether a blob is still needed.
CREATE INDEX thumbnails_blobs ON thumbnails (sha256);
`;
