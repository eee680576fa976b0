import t from "tap";
import type { AdapterPayload } from "oidc-provider";
import { systemClock } from "../telemetry/clock.ts";
import type { OAuthRecord, OAuthStore } from "../storage/oauth.ts";
import { providerStorage } from "./provider-storage.ts";

let nowMs = 1_000_000;
const clock = { ...systemClock, nowMs: () => nowMs };

/** A store in memory, as the contract of the real ones has it. */
function memoryStore() {
  const records = new Map<string, OAuthRecord & { idHash: Uint8Array }>();
  const keyOf = (model: string, idHash: Uint8Array) => `${model} ${Buffer.from(idHash).toString("hex")}`;
  const store: OAuthStore = {
    putClient: async () => undefined,
    findClient: async (clientId) => (clientId === "known" ? '{"client_name":"App"}' : undefined),
    async putRecord(model, idHash, record) {
      records.set(keyOf(model, idHash), { ...record, idHash });
      return record.userCode !== "TAKEN";
    },
    async findRecord(model, idHash, nowTs) {
      const found = records.get(keyOf(model, idHash));
      return found && found.expiresTs > nowTs ? found.payload : undefined;
    },
    findRecordByUserCode: async (userCode) => [...records.values()].find((r) => r.userCode === userCode),
    async consumeRecord(model, idHash) {
      const found = records.get(keyOf(model, idHash));
      if (!found || found.payload.includes("consumed")) return false;
      const payload = JSON.stringify({ ...(JSON.parse(found.payload) as object), consumed: 1 });
      records.set(keyOf(model, idHash), { ...found, payload });
      return true;
    },
    async removeRecord(model, idHash) {
      records.delete(keyOf(model, idHash));
    },
    async removeRecordsOfGrant(model, grantId) {
      for (const [key, record] of records) {
        if (key.startsWith(`${model} `) && record.grantId === grantId) records.delete(key);
      }
    },
  };
  return { store, records };
}

function storage() {
  const { store, records } = memoryStore();
  const revoked: string[] = [];
  const adapterOf = providerStorage({
    store,
    clock,
    revokeGrant: async (grantId) => void revoked.push(grantId),
    usedTwice: () => new Error("used twice"),
  });
  return { adapterOf, records, revoked };
}

const payload: AdapterPayload = { jti: "the secret", accountId: "@a:b", grantId: "g", kind: "x" };

t.test("secrets are not stored, and records are found by them only", async (t) => {
  const { adapterOf, records } = storage();
  const codes = adapterOf("AuthorizationCode");
  await codes.upsert("the secret", payload, 60);
  t.notMatch(JSON.stringify([...records]), /the secret/);
  t.strictSame(await codes.find("the secret"), payload);
  t.equal(await adapterOf("Interaction").find("the secret"), undefined);
  const [record] = records.values();
  t.equal(await codes.find(`sha256:${Buffer.from(record?.idHash ?? "").toString("hex")}`), undefined);
  nowMs += 60_000;
  t.equal(await codes.find("the secret"), undefined);
  await codes.upsert("the secret", payload, 60);
  await codes.revokeByGrantId("g");
  t.equal(await codes.find("the secret"), undefined);
});

t.test("a code that is used at the same moment as the first time ends what it led to", async (t) => {
  const { adapterOf, revoked } = storage();
  const codes = adapterOf("AuthorizationCode");
  await codes.upsert("the secret", payload, 60);
  await codes.consume("the secret");
  t.match(await codes.find("the secret"), { consumed: 1 });
  await t.rejects(codes.consume("the secret"), /used twice/);
  t.strictSame(revoked, ["g"]);
});

t.test("a device code is found by its user code, changed, and then found by its secret", async (t) => {
  const { adapterOf } = storage();
  const codes = adapterOf("DeviceCode");
  await codes.upsert("the secret", { ...payload, userCode: "ABCD" }, 60);
  const found = await codes.findByUserCode("ABCD");
  t.not(found?.jti, "the secret");
  await codes.upsert(
    String(found?.jti),
    { ...payload, ...found, userCode: "ABCD", error: "access_denied" },
    60,
  );
  t.match(await codes.find("the secret"), { jti: "the secret", error: "access_denied" });
  t.equal(await codes.findByUserCode("WXYZ"), undefined);
  await t.rejects(codes.upsert("other", { userCode: "TAKEN" }, 60), /twice/);
  nowMs += 120_000;
  t.ok(await codes.find("the secret"), "its device is to hear that it has expired");
  nowMs += 600_000;
  t.equal(await codes.find("the secret"), undefined);
  await codes.upsert("the secret", payload, 60);
  await codes.destroy("the secret");
  t.equal(await codes.find("the secret"), undefined);
});

t.test("clients are read only; tokens and sessions are not stored", async (t) => {
  const { adapterOf, records, revoked } = storage();
  t.strictSame(await adapterOf("Client").find("known"), { client_name: "App", client_id: "known" });
  t.equal(await adapterOf("Client").find("unknown"), undefined);
  await t.rejects(adapterOf("Client").upsert("a", {}, 0));
  for (const model of ["AccessToken", "RefreshToken", "Session"]) {
    await adapterOf(model).upsert("the secret", payload, 60);
    t.equal(await adapterOf(model).find("the secret"), undefined);
  }
  t.equal(records.size, 0);
  await adapterOf("AccessToken").revokeByGrantId("g");
  t.strictSame(revoked, ["g"]);
});
