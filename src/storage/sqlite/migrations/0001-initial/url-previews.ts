/** What was found behind links; see `stores/url-previews.ts`. */
export const urlPreviews = `
-- A cache: what is older than a week goes, and the oldest beyond bounds of number and size.
CREATE TABLE url_previews (
  -- A hash of the URL and the language: the URLs themselves, which may hold secrets, are nowhere.
  key TEXT NOT NULL,
  fetched_ts INTEGER NOT NULL,
  fresh_until_ts INTEGER NOT NULL,
  -- A JSON object.
  properties TEXT NOT NULL,
  picture_id TEXT,
  picture_bytes INTEGER NOT NULL,
  PRIMARY KEY (key, fetched_ts)
) WITHOUT ROWID;
-- The oldest, and how much there is.
CREATE INDEX url_previews_age ON url_previews (fetched_ts, picture_bytes, picture_id);
`;
