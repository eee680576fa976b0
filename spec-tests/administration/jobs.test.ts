import t from "tap";
import { registerAdmin, registerUser } from "../support/client.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

const admin = await registerAdmin(server);
const jobs = "/_hearth/admin/v1/jobs";

t.test("adminListJobs, adminGetJob, adminCancelJob: what there is not, and bad input", async (t) => {
  t.match(await admin.get(jobs), { status: 200, body: { jobs: [] } });
  t.match(await admin.get(`${jobs}/unknown`), { status: 404, body: { errcode: "M_NOT_FOUND" } });
  t.match(await admin.post(`${jobs}/unknown/cancel`, {}), { status: 404, body: { errcode: "M_NOT_FOUND" } });
  t.equal((await admin.get(`${jobs}?state=lost`)).status, 400);
  t.equal((await admin.get(`${jobs}?from=there`)).status, 400);
});

t.test("adminListJobs, adminGetJob, adminCancelJob: for administrators only", async (t) => {
  const alice = await registerUser(server);
  t.equal((await alice.get(jobs)).status, 403);
  t.equal((await alice.get(`${jobs}/unknown`)).status, 403);
  t.equal((await alice.post(`${jobs}/unknown/cancel`, {})).status, 403);
});
