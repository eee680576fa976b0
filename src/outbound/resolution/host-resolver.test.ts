import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { systemClock } from "../../telemetry/clock.ts";
import { DnsServer, type DnsZone } from "../testing/dns-server.ts";
import { HostResolver } from "./host-resolver.ts";
import { NameServers } from "./name-servers.ts";

/** A resolver with a name server and a hosts file of its own, and an operating system that knows one name more. */
async function scene(t: Test, zone: DnsZone, hosts = "") {
  const dns = await DnsServer.open(zone);
  t.teardown(() => dns[Symbol.asyncDispose]());
  const hostsFile = join(t.testdir(), "hosts");
  writeFileSync(hostsFile, hosts);
  let shiftMs = 0;
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + shiftMs };
  const asked: string[] = [];
  const resolver = new HostResolver({
    clock,
    nameServers: new NameServers(clock, [dns.address]),
    hostsFile,
    systemLookup: (hostname) => {
      asked.push(hostname);
      if (hostname !== "printer.local") return Promise.reject(new Error("no such name"));
      return Promise.resolve([{ address: "192.168.1.9", family: 4 }]);
    },
  });
  const later = (ms: number) => {
    shiftMs += ms;
  };
  return { dns, resolver, hostsFile, asked, later };
}

t.test("addresses of both families are found, those of IPv4 first", async (t) => {
  const six = "2001:0db8:0000:0000:0000:0000:0000:0001";
  const { resolver, asked } = await scene(t, {
    "both.test": { a: ["10.0.0.1", "10.0.0.2"], aaaa: [six] },
    "six.test": { aaaa: [six] },
    "alias.test": { cname: "both.test" },
  });
  const addresses = async (name: string) =>
    (await resolver.resolve(name)).map(({ address, family }) => `${family} ${address}`);
  t.same(await addresses("both.test"), ["4 10.0.0.1", "4 10.0.0.2", "6 2001:db8::1"]);
  t.same(await addresses("six.test"), ["6 2001:db8::1"]);
  t.same(await addresses("alias.test"), ["4 10.0.0.1", "4 10.0.0.2", "6 2001:db8::1"]);
  t.same(asked, []);
});

t.test("many names that nobody answers for delay no other", async (t) => {
  const dead = Array.from({ length: 100 }, (_, index) => `dead${index}.test`);
  const { dns, resolver, asked } = await scene(t, {
    ...Object.fromEntries(dead.map((name) => [name, { isSilent: true }])),
    "live.test": { a: ["10.0.0.1"] },
  });
  let given = 0;
  for (const name of dead) void resolver.resolve(name).catch(() => (given += 1));
  t.same(await resolver.resolve("live.test"), [{ address: "10.0.0.1", family: 4 }]);
  t.equal(given, 0, "the others are still waited for");
  t.ok(dead.every((name) => dns.questions.includes(`${name} 1`)));
  t.same(asked, []);
});

t.test("the hosts file comes first, and is read anew when it has changed", async (t) => {
  const { dns, resolver, hostsFile, later } = await scene(
    t,
    { "one.test": { a: ["10.0.0.1"] } },
    "# comment\n127.0.0.7 One.test other.test # another\n::1 one.test\n\nnonsense one.test\n",
  );
  t.same(await resolver.resolve("ONE.test"), [
    { address: "127.0.0.7", family: 4 },
    { address: "::1", family: 6 },
  ]);
  t.same(await resolver.resolve("other.test"), [{ address: "127.0.0.7", family: 4 }]);
  t.same(dns.questions, []);
  writeFileSync(hostsFile, "127.0.0.8 other.test\n");
  later(6_000);
  t.same(await resolver.resolve("one.test"), [{ address: "10.0.0.1", family: 4 }]);
  t.same(await resolver.resolve("other.test"), [{ address: "127.0.0.8", family: 4 }]);
});

t.test(
  "the operating system is asked for what name servers do not know, not for what they fail on",
  async (t) => {
    const { resolver, asked } = await scene(t, { "empty.test": {}, "failing.test": { fails: true } });
    t.same(await resolver.resolve("printer.local"), [{ address: "192.168.1.9", family: 4 }]);
    await t.rejects(resolver.resolve("nobody.test"), { message: "no such name" });
    await t.rejects(resolver.resolve("empty.test"), { message: "no such name" });
    await t.rejects(resolver.resolve("failing.test"), { code: "ESERVFAIL" });
    t.same(asked, ["printer.local", "nobody.test", "empty.test"]);
  },
);

t.test(
  "names of the local network are known to the operating system though a name server fails on them",
  async (t) => {
    const { resolver, asked } = await scene(t, { bridge: { fails: true }, "printer.local": { fails: true } });
    t.same(await resolver.resolve("printer.local"), [{ address: "192.168.1.9", family: 4 }]);
    await t.rejects(resolver.resolve("bridge"), { message: "no such name" });
    t.same(asked, ["printer.local", "bridge"]);
  },
);

t.test("addresses of IPv6 are not waited for when nothing is said of them", async (t) => {
  const { resolver, dns } = await scene(t, { "one.test": { a: ["10.0.0.1"], isSilentOnIpv6: true } });
  const startMs = performance.now();
  t.same(await resolver.resolve("one.test"), [{ address: "10.0.0.1", family: 4 }]);
  const tookMs = performance.now() - startMs;
  t.ok(tookMs < 2_900, `it took ${tookMs} ms`);
  t.same(dns.questions.toSorted(), ["one.test 1", "one.test 28"]);
});

t.test("without a hosts file names are found all the same", async (t) => {
  const dns = await DnsServer.open({ "one.test": { a: ["10.0.0.1"] } });
  t.teardown(() => dns[Symbol.asyncDispose]());
  const nameServers = new NameServers(systemClock, [dns.address]);
  const resolver = new HostResolver({
    clock: systemClock,
    nameServers,
    hostsFile: join(t.testdir(), "none"),
  });
  t.same(await resolver.resolve("one.test"), [{ address: "10.0.0.1", family: 4 }]);
});

t.test("name servers are read anew when the operating system has others", (t) => {
  const config = join(t.testdir(), "resolv.conf");
  writeFileSync(config, "nameserver 10.0.0.1\n");
  let nowMs = 0;
  const names = new NameServers({ ...systemClock, monotonicMs: () => nowMs }, undefined, config);
  const first = names.resolver;
  nowMs += 6_000;
  t.equal(names.resolver, first);
  writeFileSync(config, "nameserver 10.0.0.100\n");
  t.equal(names.resolver, first, "for some seconds nobody looks");
  nowMs += 6_000;
  t.not(names.resolver, first);
  t.end();
});
