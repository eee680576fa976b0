import t from "tap";
import { clientIdOf, parseClientMetadata } from "./client-metadata.ts";

const base = {
  client_name: "App",
  client_uri: "https://example.com/",
  redirect_uris: ["https://app.example.com/callback"],
  response_types: ["code"],
  grant_types: ["authorization_code", "refresh_token"],
  token_endpoint_auth_method: "none",
};

function faultOf(changes: object): string | undefined {
  const outcome = parseClientMetadata({ ...base, ...changes });
  return "fault" in outcome ? outcome.fault.error : undefined;
}

t.test("what is not known is left away", async (t) => {
  const outcome = parseClientMetadata({
    ...base,
    "client_name#fr": "Appli",
    grant_types: [...base.grant_types, "urn:ietf:params:oauth:grant-type:token-exchange", "implicit"],
    response_types: ["code", "id_token"],
    contacts: ["nobody"],
    jwks_uri: "https://example.com/keys",
    logo_uri: "https://cdn.example.com/logo.png",
  });
  const metadata = {
    client_uri: "https://example.com/",
    client_name: "App",
    logo_uri: "https://cdn.example.com/logo.png",
    redirect_uris: ["https://app.example.com/callback"],
    response_types: ["code"],
    grant_types: ["authorization_code", "refresh_token"],
    token_endpoint_auth_method: "none",
    application_type: "web",
  };
  t.strictSame(outcome, { metadata });
});

t.test("the specification's redirect URIs", async (t) => {
  const fault = (type: string, ...uris: string[]) => faultOf({ application_type: type, redirect_uris: uris });
  for (const uri of ["https://example.com/callback", "https://example.com:5173/?query=value"]) {
    t.equal(fault("web", uri), undefined, uri);
  }
  const badWeb = [
    "https://example.com/callback#fragment",
    "http://example.com/callback",
    "http://localhost/",
    "https://app.com/callback",
    "https://notexample.com/",
    "https://example.com.evil.test/",
    "https://user@example.com/",
    "com.example:/callback",
    "javascript:alert(1)",
    "nonsense",
    "",
  ];
  for (const uri of badWeb) t.equal(fault("web", uri), "invalid_redirect_uri", uri);
  const goodNative = [
    "com.example.app:/callback",
    "com.example:/",
    "com.example:callback",
    "http://localhost/callback",
    "http://127.0.0.1/callback",
    "http://[::1]/callback",
    "https://example.com/callback",
  ];
  for (const uri of goodNative) t.equal(fault("native", uri), undefined, uri);
  const badNative = [
    "example:/callback",
    "com.example.app://callback",
    "https://localhost/callback",
    "http://localhost:1234/callback",
    "http://localhost:80/callback",
    "http://[::1]:80/callback",
    "http://localhost.evil.test/callback",
    "http://192.0.2.1/callback",
    "com.examples:/callback",
    "data:text/html,a",
  ];
  for (const uri of badNative) t.equal(fault("native", uri), "invalid_redirect_uri", uri);
  t.equal(
    fault("web", base.redirect_uris[0] ?? "", "http://example.com/"),
    "invalid_redirect_uri",
    "each of them",
  );
});

t.test("other metadata that cannot be", async (t) => {
  const bad: object[] = [
    { client_uri: undefined },
    { client_uri: "http://example.com/" },
    { client_uri: "https://user:password@example.com/" },
    { client_uri: 7 },
    { tos_uri: "http://example.com/" },
    { tos_uri: "https://elsewhere.com/" },
    { policy_uri: "https://u@example.com/" },
    { application_type: "desktop" },
    { grant_types: ["implicit"] },
    { grant_types: "authorization_code" },
    { response_types: ["token"] },
    { token_endpoint_auth_method: "client_secret_basic" },
    { client_name: ["a"] },
    { client_name: "x".repeat(2_001) },
    { redirect_uris: [7] },
  ];
  for (const changes of bad) t.equal(faultOf(changes), "invalid_client_metadata", JSON.stringify(changes));
  t.equal(faultOf({ redirect_uris: [] }), "invalid_redirect_uri");
  t.equal(faultOf({ redirect_uris: undefined }), "invalid_redirect_uri");
  const codeless = {
    grant_types: ["urn:ietf:params:oauth:grant-type:device_code"],
    redirect_uris: undefined,
  };
  t.equal(faultOf(codeless), undefined, "the device grant needs none");
  t.ok("fault" in parseClientMetadata([]));
  t.ok("fault" in parseClientMetadata(null));
});

t.test("the same metadata are the same client", async (t) => {
  const idOf = (changes: object) => {
    const outcome = parseClientMetadata({ ...base, ...changes });
    if ("fault" in outcome) throw new Error(outcome.fault.description);
    return clientIdOf(outcome.metadata);
  };
  t.equal(idOf({}), idOf({ "client_name#fr": "ignored", application_type: "web" }));
  t.not(idOf({}), idOf({ client_name: "Other" }));
  t.match(idOf({}), /^[\w-]{26}$/);
});
