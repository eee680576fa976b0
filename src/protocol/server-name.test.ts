import t from "tap";
import { isServerName, parseServerName } from "./server-name.ts";

t.test("a server name taken apart", async (t) => {
  t.same(parseServerName("matrix.org"), { host: "matrix.org", kind: "dns", port: undefined });
  t.same(parseServerName("matrix.org:8888"), { host: "matrix.org", kind: "dns", port: 8888 });
  t.same(parseServerName("1.2.3.4"), { host: "1.2.3.4", kind: "ipv4", port: undefined });
  t.same(parseServerName("1.2.3.4:1234"), { host: "1.2.3.4", kind: "ipv4", port: 1234 });
  t.same(parseServerName("[1234:5678::abcd]"), { host: "1234:5678::abcd", kind: "ipv6", port: undefined });
  t.same(parseServerName("[1234:5678::abcd]:5678"), { host: "1234:5678::abcd", kind: "ipv6", port: 5678 });
  t.same(parseServerName("256.1.1.1"), { host: "256.1.1.1", kind: "dns", port: undefined });
  t.same(parseServerName("1.2.3"), { host: "1.2.3", kind: "dns", port: undefined });
  t.same(parseServerName("1.2.3.4."), { host: "1.2.3.4.", kind: "dns", port: undefined });
  t.same(parseServerName("a:99999"), { host: "a", kind: "dns", port: 99_999 });
});

t.test("IPv6 literals", async (t) => {
  const right = [
    "::",
    "::1",
    "1::",
    "1:2:3:4:5:6:7:8",
    "::ffff:1.2.3.4",
    "1:2:3:4:5:6:1.2.3.4",
    "1::8",
    "1:2:3:4:5:6:7::",
  ];
  const wrong = [
    ":",
    ":::",
    "1",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    "12345::",
    "::1.2.3.256",
    "1.2.3.4",
    "1.2.3.4::",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1:2:3:4:5:6:7:8::",
    ":1:2:3:4:5:6:7",
    "g::",
    "fe80::1%eth0",
  ];
  for (const literal of right) t.equal(isServerName(`[${literal}]`), true, literal);
  for (const literal of wrong) t.equal(isServerName(`[${literal}]`), false, literal);
  for (const literal of wrong) t.equal(parseServerName(`[${literal}]`), undefined, literal);
});
