import t from "tap";
import { addressGroup } from "./address-group.ts";

t.test("an IPv4 address is itself, written in either way", async (t) => {
  t.equal(addressGroup("192.0.2.7"), "192.0.2.7");
  t.equal(addressGroup("::ffff:192.0.2.7"), "192.0.2.7");
});

t.test("IPv6 addresses of one /64 network are one, however they are written", async (t) => {
  const same = [
    "2001:db8:0:1:aaaa:bbbb:cccc:dddd",
    "2001:db8:0:1::",
    "2001:db8:0:1::7",
    "2001:0DB8::1:0:0:0:1",
    "2001:db8:0:1:2:3:192.0.2.1",
    "2001:db8:0:1::5%eth0",
  ];
  for (const address of same) t.equal(addressGroup(address), "2001:db8:0:1", address);
  t.not(addressGroup("2001:db8:0:2::7"), "2001:db8:0:1");
  t.equal(addressGroup("::1"), "0:0:0:0");
  t.equal(addressGroup("fe80::1"), "fe80:0:0:0");
});

t.test("what is no address is left as it is", async (t) => {
  t.equal(addressGroup(""), "");
  t.equal(addressGroup("2001:db8:::1"), "2001:db8:::1");
});
