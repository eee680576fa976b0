import t from "tap";
import { AddressFilter } from "./address-filter.ts";

const closed = new AddressFilter([]);

t.test("public addresses are let pass", async (t) => {
  for (const address of [
    "1.1.1.1",
    "172.15.255.255",
    "172.32.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450::1",
    "::ffff:1.1.1.1",
    "64:ff9b::101:101",
  ]) {
    t.ok(closed.allows(address), address);
  }
});

t.test("addresses of this machine, of private networks and for special purposes are refused", async (t) => {
  for (const address of [
    "0.0.0.0",
    "0.1.2.3",
    "10.1.2.3",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "64:ff9b:1::1",
  ]) {
    t.notOk(closed.allows(address), address);
  }
});

t.test("an IPv4 address inside an IPv6 one is what counts, however it is written", async (t) => {
  for (const address of [
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "0:0:0:0:0:ffff:a00:1",
    "::FFFF:10.0.0.1",
    "::ffff:0.0.0.0",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::",
  ]) {
    t.notOk(closed.allows(address), address);
  }
});

t.test("what is no address is refused", async (t) => {
  for (const address of ["", "localhost", "127.1", "0x7f000001", "2130706433", "1.1.1.1:443", "[::1]"]) {
    t.notOk(closed.allows(address), address);
  }
});

t.test("ranges can be allowed, and nothing beside them", async (t) => {
  const filter = new AddressFilter(["10.1.0.0/16", "127.0.0.1", "fd00:1::/32"]);
  for (const address of ["10.1.2.3", "127.0.0.1", "::ffff:10.1.2.3", "::ffff:127.0.0.1", "fd00:1::5"]) {
    t.ok(filter.allows(address), address);
  }
  for (const address of ["10.2.0.1", "127.0.0.2", "::1", "fd00:2::1", "::ffff:10.2.0.1"]) {
    t.notOk(filter.allows(address), address);
  }
  t.ok(filter.allows("1.1.1.1"));
});
