import t from "tap";
import { UrlPatterns } from "./url-patterns.ts";

t.test("hosts, and paths of hosts", async (t) => {
  const patterns = new UrlPatterns([
    "example.org",
    "*.example.net",
    "files.test/private/*",
    "ports.test:8080",
  ]);
  const matches = (url: string) => patterns.matches(new URL(url));
  for (const url of [
    "https://example.org/",
    "http://EXAMPLE.org:8443/path?query",
    "https://example.org./",
    "https://a.b.example.net/",
    "https://files.test/private/a",
    "https://files.test/%70rivate/a",
    "https://files.test/x/../private/a",
    "https://files.test/PRIVATE/a",
    "http://ports.test:8080/",
  ]) {
    t.ok(matches(url), url);
  }
  for (const url of [
    "https://www.example.org/",
    "https://example.net/",
    "https://files.test/public",
    "https://files.test/private",
    "https://files.test/%ff",
    "http://ports.test/",
    "https://other.test/example.org",
  ]) {
    t.notOk(matches(url), url);
  }
  t.notOk(new UrlPatterns([]).matches(new URL("https://example.org/")));
});
