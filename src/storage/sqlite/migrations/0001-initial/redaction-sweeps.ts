/** Redactions that go on after their commit; see `stores/redaction-sweeps.ts`. */
export const redactionSweeps = `
-- Bans and kicks whose targets' events are to be redacted. A row goes when all of them are.
CREATE TABLE redaction_sweeps (
  event_nid INTEGER PRIMARY KEY,
  room_nid INTEGER NOT NULL,
  user_nid INTEGER NOT NULL
);
`;
