import t from "tap";
import { deviceOfScope, knownScope } from "./scopes.ts";

const api = "urn:matrix:client:api:*";
const unstableApi = "urn:matrix:org.matrix.msc2967.client:api:*";
const device = (id: string) => `urn:matrix:client:device:${id}`;
const unstableDevice = (id: string) => `urn:matrix:org.matrix.msc2967.client:device:${id}`;

t.test("a scope with full access and one device, in either spelling", async (t) => {
  const good = [
    `${api} ${device("ABCDEFGHIJ")}`,
    `openid ${unstableApi} ${unstableDevice("ABCDEFGHIJ")}`,
    `${device("ABCDEFGHIJ")} ${unstableDevice("ABCDEFGHIJ")} ${unstableApi} ${api}`,
    `${api} ${device("ABCDEFGHIJ")} urn:example:other`,
  ];
  for (const scope of good) t.strictSame(deviceOfScope(scope), { deviceId: "ABCDEFGHIJ" }, scope);
  t.strictSame(deviceOfScope(`${api} ${device("a:b/c+d~e!")}`), { deviceId: "a:b/c+d~e!" });
});

t.test("scopes that are none of ours", async (t) => {
  const bad = [
    "",
    "openid",
    api,
    device("ABCDEFGHIJ"),
    `${api} ${device("")}`,
    `${api} ${device("SHORT")}`,
    `${api} ${device("x".repeat(256))}`,
    `${api} ${device("AAAAAAAAAA")} ${device("BBBBBBBBBB")}`,
    `${api} ${device("AAAAAAAAAA")} ${unstableDevice("BBBBBBBBBB")}`,
    `urn:matrix:client:api:read ${device("AAAAAAAAAA")}`,
  ];
  for (const scope of bad) t.type((deviceOfScope(scope) as { fault?: string }).fault, "string", scope);
});

t.test("only what is known can be granted", async (t) => {
  const scope = `openid email ${api} urn:example:admin ${device("ABCDEFGHIJ")}`;
  t.equal(knownScope(scope), `openid ${api} ${device("ABCDEFGHIJ")}`);
});
