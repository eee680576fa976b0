import t from "tap";
import { TrustedProxies } from "./client-address.ts";

const proxies = new TrustedProxies(["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"]);

t.test("X-Forwarded-For is believed of our proxies only", async (t) => {
  t.equal(proxies.clientAddress("127.0.0.1", "192.0.2.1"), "192.0.2.1");
  t.equal(proxies.clientAddress("10.1.2.3", "192.0.2.1"), "192.0.2.1");
  t.equal(proxies.clientAddress("2001:db8::5", "192.0.2.1"), "192.0.2.1");
  t.equal(proxies.clientAddress("192.0.2.9", "192.0.2.1"), "192.0.2.9");
  t.equal(proxies.clientAddress("127.0.0.1", undefined), "127.0.0.1");
});

t.test("the nearest address that is no proxy of ours counts: those before it can be made up", async (t) => {
  t.equal(proxies.clientAddress("127.0.0.1", "203.0.113.1, 192.0.2.1, 10.0.0.5"), "192.0.2.1");
  t.equal(proxies.clientAddress("127.0.0.1", "10.0.0.6,10.0.0.5"), "127.0.0.1");
  t.equal(proxies.clientAddress("127.0.0.1", "192.0.2.1, somebody"), "127.0.0.1");
  t.equal(proxies.clientAddress("127.0.0.1", ""), "127.0.0.1");
});

t.test("an IPv4 address on an IPv6 socket is the IPv4 address", async (t) => {
  t.equal(proxies.clientAddress("::ffff:10.0.0.1", "::ffff:192.0.2.1"), "192.0.2.1");
  t.equal(proxies.clientAddress("::ffff:192.0.2.9", "192.0.2.1"), "192.0.2.9");
});

t.test("nobody is believed without trusted proxies", async (t) => {
  t.equal(new TrustedProxies([]).clientAddress("127.0.0.1", "192.0.2.1"), "127.0.0.1");
});
