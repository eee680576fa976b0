import t from "tap";
import * as fc from "fast-check";
import { encodeCanonicalJson } from "./canonical-json.ts";
import { XMatrixError } from "./errors.ts";
import type { ServerName } from "./identifiers.ts";
import type { JsonValue } from "./json.ts";
import { specSigningKey, specVerifyKey } from "./testing/spec-key.ts";
import { specVectors } from "./testing/spec-vectors.ts";
import {
  authorizeRequest,
  isRequestSigned,
  parseXMatrix,
  parseXMatrixParameters,
  requestText,
} from "./x-matrix.ts";
import type { SignedRequest } from "./x-matrix.ts";

/** The reason for which a header is refused. */
function refusal(header: string): string | undefined {
  try {
    parseXMatrix(header);
    return undefined;
  } catch (error) {
    if (error instanceof XMatrixError) return error.reason;
    throw error;
  }
}

const request: SignedRequest = {
  method: "PUT",
  uri: "/_matrix/federation/v1/send/1?x=%20y",
  origin: "domain" as ServerName,
  destination: "destination.example" as ServerName,
  content: '{"pdus":[]}',
};

interface Vectors {
  spec_header_example: string;
  derived_cases: {
    request: {
      method: string;
      uri: string;
      origin: ServerName;
      destination: ServerName;
      content?: JsonValue;
    };
    signing_bytes_utf8: string;
    header: string;
  }[];
  header_parse_derived: { header: string; params: Record<string, string> }[];
}
const vectors = specVectors<Vectors>("federation_request_auth");

t.test("the specification's vectors", { skip: vectors.skip }, async (t) => {
  const {
    spec_header_example: example,
    derived_cases: cases,
    header_parse_derived: headers,
  } = vectors.read();
  t.same(Object.fromEntries(parseXMatrixParameters(example.replace("Authorization: ", ""))), {
    origin: "origin.hs.example.com",
    destination: "destination.hs.example.com",
    key: "ed25519:key1",
    sig: "ABCDEF...",
  });
  for (const { request: plain, signing_bytes_utf8: text, header } of cases) {
    const content =
      plain.content === undefined ? undefined : encodeCanonicalJson(plain.content, { strict: true });
    const signed = { ...plain, content };
    t.equal(requestText(signed), text);
    t.equal(authorizeRequest(signed, specSigningKey), header);
    t.equal(isRequestSigned(signed, parseXMatrix(header), specVerifyKey), true);
  }
  for (const { header, params } of headers)
    t.same(Object.fromEntries(parseXMatrixParameters(header)), params);
});

t.test("a request is signed as a whole", async (t) => {
  const credentials = parseXMatrix(authorizeRequest(request, specSigningKey));
  t.equal(isRequestSigned(request, credentials, specVerifyKey), true);
  const changes: Partial<SignedRequest>[] = [
    { method: "POST" },
    { uri: "/_matrix/federation/v1/send/2" },
    { origin: "elsewhere" as ServerName },
    { destination: "elsewhere" as ServerName },
    { content: '{"pdus":[1]}' },
    { content: undefined },
  ];
  for (const change of changes) {
    t.equal(
      isRequestSigned({ ...request, ...change }, credentials, specVerifyKey),
      false,
      JSON.stringify(change),
    );
  }
  t.equal(isRequestSigned(request, { ...credentials, keyId: "ed25519:2" }, specVerifyKey), false);
  t.equal(isRequestSigned(request, { ...credentials, origin: "a" as ServerName }, specVerifyKey), false);
  t.equal(
    requestText({ ...request, uri: '/"\\', content: undefined }),
    '{"destination":"destination.example","method":"PUT","origin":"domain","uri":"/\\"\\\\"}',
  );
});

t.test("headers that servers send", async (t) => {
  const expected = { origin: "a:8448", destination: "b", keyId: "ed25519:1", signature: "A/+=" };
  const headers = [
    'X-Matrix origin="a:8448",destination="b",key="ed25519:1",sig="A/+="',
    "X-Matrix origin=a:8448,destination=b,key=ed25519:1,sig=A/+=",
    'x-MATRIX   Origin = "a:8448" ,\tDESTINATION="\\b" , , key="ed25519:1",sig="A/+=",',
    'X-Matrix ,sig="A/+=",other="x,y=\\"z\\"",key="ed25519:1",destination=b,origin=a:8448',
  ];
  for (const header of headers) t.same(parseXMatrix(header), expected, header);
  t.equal(parseXMatrix("X-Matrix origin=a,key=k,sig=s").destination, undefined);
});

t.test("headers that nobody should send", async (t) => {
  t.equal(refusal("Bearer abc"), "wrong-scheme");
  t.equal(refusal(""), "wrong-scheme");
  t.equal(refusal("X-Matrix"), "wrong-scheme");
  t.equal(refusal("X-Matrix "), "missing-parameter");
  t.equal(refusal("X-Matrix origin=a,key=k"), "missing-parameter");
  t.equal(refusal("X-Matrix origin=a,origin=b,key=k,sig=s"), "syntax");
  t.equal(refusal("X-Matrix origin=a key=k,sig=s"), "syntax");
  t.equal(refusal('X-Matrix origin="a,key=k,sig=s'), "syntax");
  t.equal(refusal("X-Matrix origin,key=k,sig=s"), "syntax");
  t.equal(refusal("X-Matrix origin=a_b,key=k,sig=s"), "syntax");
  t.equal(refusal("X-Matrix origin=a,destination=b/c,key=k,sig=s"), "syntax");
  t.equal(refusal(`X-Matrix origin=a,key=k,sig=${"s".repeat(9000)}`), "too-long");
});

t.test("no header makes the parser throw anything but its own error, or take long", async (t) => {
  const tokens = fc.constantFrom(
    "X-Matrix ",
    "origin",
    "key",
    "sig",
    "=",
    ",",
    '"',
    "\\",
    " ",
    "\t",
    "a",
    ":",
    "é",
    "\0",
  );
  fc.assert(
    fc.property(fc.string({ unit: tokens, maxLength: 40 }), (text) => {
      refusal(text);
      refusal(`X-Matrix ${text}`);
    }),
    { numRuns: 500 },
  );
  const start = performance.now();
  for (const part of ['"\\', 'a="', "a=", " ", ",", "\\\\", 'a=" '])
    refusal(`X-Matrix ${part.repeat(8000 / part.length)}`);
  t.ok(performance.now() - start < 500, "no pattern goes back and tries again without end");
});
