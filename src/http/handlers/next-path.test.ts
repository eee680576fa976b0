import t from "tap";
import { nextPath, registerPathFor, signInPathFor } from "./next-path.ts";

t.test("one goes on to pages of this server only", async (t) => {
  const good = [
    "/account/",
    "/account/authorize/abc",
    "/link",
    "/link?user_code=A-B",
    "/account/?action=x&device_id=%2F",
  ];
  for (const path of good) t.equal(nextPath(path), path);
  const bad = [
    undefined,
    "",
    "account/",
    "//evil.test/account/",
    "/\\evil.test/account/",
    "/account/../../evil",
    "/\t/evil.test",
    "https://evil.test/account/",
    "/_matrix/client/v3/login",
    "/linked",
    "/accounts",
    `/account/${"x".repeat(4_000)}`,
  ];
  for (const path of bad) t.equal(nextPath(path), "/account/", String(path));
  t.equal(nextPath("/account/..//evil.test/"), "/account/");
});

t.test("where one signs in first", async (t) => {
  t.equal(signInPathFor("/link?user_code=A"), "/account/sign-in?next=%2Flink%3Fuser_code%3DA");
  t.equal(signInPathFor("/link", "mxid:@a:b"), "/account/sign-in?next=%2Flink&login_hint=mxid%3A%40a%3Ab");
  t.equal(registerPathFor("/link"), "/account/register?next=%2Flink");
});
