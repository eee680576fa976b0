import t from "tap";
import { formTarget, isTrusted, parseClientUrl, placeName, withLoginToken } from "./client-url.ts";

function parsed(text: string): URL {
  const url = parseClientUrl(text);
  if (!url) throw new Error(`${text} is refused`);
  return url;
}

t.test("addresses of pages and apps are taken, and no others", async (t) => {
  for (const good of [
    "https://app.example.org/#/login",
    "http://localhost:8080",
    "io.element:/callback?a=b",
  ]) {
    t.ok(parseClientUrl(good), good);
  }
  const bad = [
    "",
    "/relative",
    "javascript:alert(1)",
    " JavaScript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,a",
    "file:///etc/passwd",
    "https://user:password@example.org/",
    "https://user@example.org/",
    `https://example.org/${"a".repeat(2_000)}`,
    "https://",
  ];
  for (const text of bad) t.equal(parseClientUrl(text), undefined, text.slice(0, 40));
});

t.test("an address is trusted by its host and folder", async (t) => {
  const trusted = ["https://app.example.org/web", "https://chat.example.org", "io.element:/"];
  const is = (text: string) => isTrusted(parsed(text), trusted);
  t.ok(is("https://app.example.org/web"));
  t.ok(is("https://app.example.org/web/#/login"));
  t.ok(is("https://app.example.org/web?a=b"));
  t.ok(is("https://chat.example.org/anything"));
  t.ok(is("io.element:/callback"));
  t.notOk(is("https://app.example.org/website"));
  t.notOk(is("https://app.example.org/"));
  t.notOk(is("http://app.example.org/web"));
  t.notOk(is("https://app.example.org.evil.test/web"));
  t.notOk(is("https://app.example.org:444/web"));
  t.notOk(is("https://evil.test/https://app.example.org/web"));
  t.notOk(is("https://app.example.org/web/../evil"));
});

t.test("the login token replaces those that are there", async (t) => {
  const add = (text: string) => withLoginToken(parsed(text), "hlt_1");
  t.equal(add("https://a.test/?b=c#d"), "https://a.test/?b=c&loginToken=hlt_1#d");
  t.equal(add("https://a.test/?loginToken=x&loginToken=y"), "https://a.test/?loginToken=hlt_1");
  t.equal(add("io.element:/callback"), "io.element:/callback?loginToken=hlt_1");
});

t.test("what people and browsers are told of the place", async (t) => {
  t.equal(placeName(parsed("https://a.test:8443/x")), "a.test:8443");
  t.equal(placeName(parsed("io.element:/x")), "io.element");
  t.equal(formTarget(parsed("https://a.test:8443/x")), "https://a.test:8443");
  t.equal(formTarget(parsed("io.element:/x")), "io.element:");
});
