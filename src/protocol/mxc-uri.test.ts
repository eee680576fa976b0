import t from "tap";
import { isMediaId, mxcUri, parseMxcUri } from "./mxc-uri.ts";

t.test("an mxc URI names a server and a media ID", async (t) => {
  for (const uri of ["mxc://example.org/AQwa-f_uaF", "mxc://[::1]:8448/a", "mxc://1.2.3.4/0"]) {
    const parsed = parseMxcUri(uri);
    t.equal(parsed && mxcUri(parsed), uri);
  }
  t.strictSame(parseMxcUri("mxc://example.org:8448/abc"), { serverName: "example.org:8448", mediaId: "abc" });
});

t.test("nothing else is an mxc URI", async (t) => {
  const others = [
    "",
    "mxc://",
    "mxc://example.org",
    "mxc://example.org/",
    "mxc:///abc",
    "mxc://example.org/abc/def",
    "mxc://example.org/../etc",
    "mxc://example.org/a.b",
    "mxc://example.org/a%2Fb",
    "mxc://exa mple.org/abc",
    "http://example.org/abc",
    " mxc://example.org/abc",
  ];
  for (const text of others) t.equal(parseMxcUri(text), undefined, text);
});

t.test("a media ID is bounded", async (t) => {
  t.ok(isMediaId("a".repeat(255)));
  t.notOk(isMediaId("a".repeat(256)));
  t.notOk(isMediaId(""));
});
