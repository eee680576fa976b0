import t from "tap";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { checkClientSecret, ContactRules } from "./contact-rules.ts";
import { SendingLimits } from "./sending-limits.ts";
import { ValidationSecrets } from "./validation-secrets.ts";

const email = (address: string) => ({ medium: "email", address }) as const;

function errcodeOf(work: () => void): string {
  try {
    work();
    return "";
  } catch (error) {
    return String((error as { errcode?: string }).errcode);
  }
}

t.test("kinds of addresses, and which of them", async (t) => {
  const rules = new ContactRules(new Set(["email"]), ["*@example.org", "boss@elsewhere.test"], null);
  t.equal(
    errcodeOf(() => rules.checkMedium("email")),
    "",
  );
  t.equal(
    errcodeOf(() => rules.checkMedium("msisdn")),
    "M_THREEPID_MEDIUM_NOT_SUPPORTED",
  );
  for (const address of ["a@example.org", "boss@elsewhere.test"]) {
    t.equal(
      errcodeOf(() => rules.checkAllowed(email(address))),
      "",
      address,
    );
  }
  for (const address of ["a@elsewhere.test", "a@example.org.evil.test", "a@sub.example.org"]) {
    t.equal(
      errcodeOf(() => rules.checkAllowed(email(address))),
      "M_THREEPID_DENIED",
      address,
    );
  }
  const open = new ContactRules(new Set(), [], null);
  t.equal(
    errcodeOf(() => open.checkAllowed(email("a@elsewhere.test"))),
    "",
  );
});

t.test("where people may be sent afterwards", async (t) => {
  const judge = (hosts: readonly string[] | null, link?: string) =>
    errcodeOf(() => new ContactRules(new Set(), [], hosts).checkNextLink(link));
  t.equal(judge([]), "");
  t.equal(judge(null, "https://anywhere.test/#/x"), "");
  t.equal(judge(["chat.test", "chat.test:8080"], "http://chat.test:8080/a?b"), "");
  for (const link of ["https://evil.test", "https://chat.test.evil.test/", "https://chat.test@evil.test/"]) {
    t.equal(judge(["chat.test"], link), "M_INVALID_PARAM", link);
  }
  for (const link of [
    "javascript:alert(1)",
    "data:text/html,x",
    "/relative",
    `https://a.test/${"x".repeat(2000)}`,
  ]) {
    t.equal(judge(null, link), "M_INVALID_PARAM", link.slice(0, 30));
  }
});

t.test("client secrets have a grammar", async (t) => {
  t.equal(
    errcodeOf(() => checkClientSecret("aZ09.=_-")),
    "",
  );
  for (const secret of ["", "a b", "ä", "x".repeat(256)]) {
    t.equal(
      errcodeOf(() => checkClientSecret(secret)),
      "M_INVALID_PARAM",
    );
  }
});

t.test("messages are limited for each address, and for each sender", async (t) => {
  const clock = new ManualClock();
  const limits = new SendingLimits(clock, true);
  const take = (address: string, sender: string) => errcodeOf(() => limits.take(email(address), sender));
  for (let n = 0; n < 5; n++) t.equal(take("a@example.org", `192.0.2.${n}`), "");
  t.equal(take("a@example.org", "192.0.2.9"), "M_LIMIT_EXCEEDED", "whoever asks");
  t.equal(take("b@example.org", "192.0.2.9"), "");
  clock.advance(10 * 60 * 1000);
  t.equal(take("a@example.org", "192.0.2.9"), "");
  for (let n = 0; n < 30; n++) t.equal(take(`${n}@example.org`, "198.51.100.1"), "");
  t.equal(take("new@example.org", "198.51.100.1"), "M_LIMIT_EXCEEDED", "whoever is written to");
  const unlimited = new SendingLimits(clock, false);
  for (let n = 0; n < 50; n++) unlimited.take(email("a@example.org"), "192.0.2.1");
});

t.test("tokens and codes are those of their session, and of this server", async (t) => {
  const secrets = new ValidationSecrets(Buffer.alloc(32, 1));
  const others = new ValidationSecrets(Buffer.alloc(32, 2));
  t.match(secrets.code("sid"), /^\d{6}$/);
  t.match(secrets.token("sid"), /^[\w-]{43}$/);
  t.ok(secrets.fits("sid", "email", secrets.token("sid")));
  t.ok(secrets.fits("sid", "msisdn", ` ${secrets.code("sid")}\n`));
  t.notOk(secrets.fits("sid", "email", secrets.code("sid")), "a link's token cannot be guessed");
  t.notOk(secrets.fits("sid2", "email", secrets.token("sid")));
  t.notOk(secrets.fits("sid", "email", others.token("sid")));
  t.notOk(secrets.fits("sid", "email", ""));
});
