import t from "tap";
import { setAdminLockUser } from "../../../api/client/administration.ts";
import { handler } from "../../pipeline.ts";

t.test("what an administrator changes cannot be bound without the audit log", async (t) => {
  t.throws(() => handler(setAdminLockUser, async () => ({})), /setAdminLockUser .* "audited"/);
});
