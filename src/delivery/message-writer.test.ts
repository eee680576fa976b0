import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { StartupError } from "../config/startup-error.ts";
import type { Delivery, MessageKind } from "../storage/deliveries.ts";
import { readCustomTexts } from "./custom-texts.ts";
import { preferredLanguage } from "./languages.ts";
import { unknownNames } from "./message-text.ts";
import { MessageWriter } from "./message-writer.ts";
import { english } from "./texts/en.ts";
import { chinese } from "./texts/zh.ts";

const secrets = { link: "https://chat.test/confirm?sid=S&token=T", code: "123456" };

function writer(customTexts: ReturnType<typeof readCustomTexts> = new Map()): MessageWriter {
  return new MessageWriter({
    organisation: "Example & Co",
    serverName: "example.org",
    fallbackLanguage: "en",
    customTexts,
    secretsOf: (sid) => ({ link: `${secrets.link}${sid}`, code: secrets.code }),
  });
}

function delivery(kind: MessageKind, changes: Partial<Delivery> = {}): Delivery {
  const address = "alice@example.org";
  const base = { deliveryNid: 1, attempts: 0, expiresTs: 1, language: "en", medium: "email" as const };
  return { ...base, kind, address, values: { sid: "S1", hours: "24" }, ...changes };
}

t.test("built-in texts: complete in every language, with values that there are", async (t) => {
  for (const texts of [english, chinese]) {
    t.strictSame(Object.keys(texts), Object.keys(english));
    for (const [kind, { subject, paragraphs, sms, action }] of Object.entries(texts)) {
      t.strictSame(unknownNames([subject, sms, ...paragraphs].join()), [], kind);
      t.equal(action === undefined, !kind.startsWith("confirm-"), `${kind}: a link to what can be confirmed`);
      t.equal(
        sms.includes("{{code}}"),
        kind.startsWith("confirm-"),
        `${kind}: a number for what can be confirmed`,
      );
    }
  }
});

t.test("a message has its link in text and HTML, its number in the text message", async (t) => {
  const message = writer().write(delivery("confirm-address"));
  t.equal(message.subject, "Confirm your address for Example & Co");
  t.ok(message.text.includes(`\n${secrets.link}S1\n`));
  t.ok(message.html?.includes('href="https://chat.test/confirm?sid=S&amp;token=TS1"'));
  t.ok(message.html?.includes("Example &amp; Co"));
  t.ok(message.sms.startsWith("123456 is your number"));
  t.match(writer().write(delivery("confirm-address", { language: "zh" })).subject, /请确认/);
  t.equal(writer().write(delivery("confirm-address", { language: "gone" })).subject, message.subject);
});

t.test("what others choose cannot become HTML", async (t) => {
  const values = { inviter: "<script>alert(1)</script>", room: '"><img src=x>' };
  const { html, text } = writer().write(delivery("room-invitation", { values }));
  t.ok(text.includes("<script>"));
  t.notMatch(html, /<script>|<img/);
});

t.test("texts of the operator's own", async (t) => {
  const folder = t.testdir({
    de: {
      "confirm-address.txt": "Adresse bestätigen\n\nHallo {{address}},\n{{link}}\n",
      "confirm-address.html": "<b>{{organisation}}</b>",
    },
    en: { "password-changed.txt": "Changed\nIt was changed." },
  });
  const own = writer(readCustomTexts(folder));
  t.equal(own.languageFor("de-AT, en;q=0.5"), "de");
  t.strictSame(
    ["de", "zh", "fr"].map((language) => own.speaks(language)),
    [true, true, false],
  );
  t.match(own.write(delivery("confirm-address", { language: "de" })), {
    subject: "Adresse bestätigen",
    text: `Hallo alice@example.org,\n${secrets.link}S1`,
    html: "<b>Example &amp; Co</b>",
  });
  const changed = own.write(delivery("password-changed"));
  t.strictSame([changed.subject, changed.text, changed.html], ["Changed", "It was changed.", undefined]);
  t.match(
    own.write(delivery("password-changed", { language: "de" })).subject,
    "Your new password",
    "none in German",
  );
});

function refused(t: Test, files: Record<string, string>, message: RegExp) {
  const folder = join(t.testdir(), String(Object.keys(files)));
  mkdirSync(join(folder, "en"), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, "en", name), text);
  t.throws(() => readCustomTexts(folder), { name: "StartupError", message });
}

t.test("texts that cannot be used stop the start", async (t) => {
  refused(t, { "confirm-address.txt": "Subject\nClick {{lnik}}" }, /lnik/);
  refused(t, { "confirm-address.txt": "Subject only" }, /first line/);
  refused(t, { "confirm-address.html": "<b>" }, /confirm-address\.txt/);
  t.throws(() => readCustomTexts(join(t.testdir(), "missing")), StartupError);
});

t.test("languages by what browsers say", async (t) => {
  const cases: [string | undefined, string | undefined][] = [
    [undefined, undefined],
    ["", undefined],
    ["fr", undefined],
    ["*", undefined],
    ["zh-CN,zh;q=0.9,en;q=0.8", "zh"],
    ["fr, en;q=0.2, zh;q=0.1", "en"],
    ["en;q=0, zh;q=0.1", "zh"],
    ["EN-gb", "en"],
    ["pt;q=x, de", "de-CH"],
  ];
  for (const [header, language] of cases) {
    t.equal(preferredLanguage(header, ["en", "zh", "de-CH"]), language, String(header));
  }
});
