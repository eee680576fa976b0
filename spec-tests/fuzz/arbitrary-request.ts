import * as fc from "fast-check";
import { type EndpointDeclaration, pathsOf } from "../../src/api/endpoint.ts";
import type { JsonSchema } from "../support/schema-values.ts";
import {
  arbitraryJson,
  arbitraryText,
  brokenJson,
  fittingMember,
  fittingValue,
  mutated,
  type Vocabulary,
} from "./arbitrary-json.ts";

/** Who sends a request; `nobody` has no token. */
export type Sender = "user" | "other" | "guest" | "admin" | "nobody" | "stranger";

export interface FuzzedRequest {
  readonly operationId: string;
  readonly sender: Sender;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Names of things that exist, by the names of the path parameters that stand for them. */
export type KnownNames = Readonly<Record<string, readonly string[]>>;

/** Words of the protocol for path parameters. */
const words: KnownNames = {
  eventType: [
    "m.room.message",
    "m.reaction",
    "m.room.redaction",
    "m.room.member",
    "m.room.power_levels",
    "m.room.join_rules",
    "m.room.create",
    "m.room.canonical_alias",
    "m.room.history_visibility",
    "m.room.guest_access",
    "m.room.third_party_invite",
    "m.room.tombstone",
    "m.room.encryption",
    "m.room.name",
    "m.space.child",
  ],
  stateKey: [""],
  type: ["m.ignored_user_list", "m.push_rules", "m.fully_read", "m.tag", "m.direct"],
  relType: ["m.thread", "m.replace", "m.reference"],
  receiptType: ["m.read", "m.read.private", "m.fully_read"],
  keyName: ["displayname", "avatar_url", "m.tz"],
  kind: ["override", "underride", "sender", "room", "content"],
  ruleId: ["mine", ".m.rule.master", ".m.rule.contains_display_name"],
  authType: ["m.login.password", "m.login.dummy"],
};

/** Percent-encoded or not, as they stand in a path. */
const oddSegments = [
  "%",
  "%ZZ",
  "%00",
  "%2F",
  "%C3%28",
  "..",
  "%2e%2e",
  "x".repeat(5_000),
  "%F0%9F%98%80",
  "",
];

/** How long a request may wait on purpose. */
const maxWaitMs = 100;

/** After these the sender can do no more. */
const ending = new Set([
  "changePassword",
  "deactivateAccount",
  "deleteDevice",
  "deleteDevices",
  "logout",
  "logout_all",
  "setAdminLockUser",
  "setAdminSuspendUser",
]);

export function arbitraryRequest(
  declarations: readonly EndpointDeclaration[],
  known: KnownNames,
  values: Vocabulary["values"],
): fc.Arbitrary<FuzzedRequest> {
  const vocabulary = { names: Object.values(known).flat(), values };
  const chosen = (wanted: (declaration: EndpointDeclaration) => boolean) =>
    fc
      .constantFrom(...declarations.filter(wanted))
      .chain((declaration) => requestOf(declaration, known, vocabulary));
  return fc.oneof(
    { weight: 100, arbitrary: chosen(({ operationId }) => !ending.has(operationId)) },
    { weight: 1, arbitrary: chosen(({ operationId }) => ending.has(operationId)) },
  );
}

function requestOf(
  declaration: EndpointDeclaration,
  known: KnownNames,
  vocabulary: Vocabulary,
): fc.Arbitrary<FuzzedRequest> {
  const { operationId, method } = declaration;
  const request = fc.record({
    sender: arbitrarySender(declaration),
    path: pathOf(declaration, known, vocabulary.names),
    search: searchOf(declaration, vocabulary),
    body: bodyOf(declaration, vocabulary),
    contentType: fc.constantFrom("application/json", "text/plain", "image/png", ""),
  });
  return request.map(({ sender, path, search, body, contentType }) => ({
    operationId,
    sender,
    method,
    path: `${path}${search}`,
    headers: { "Content-Type": contentType },
    ...(body !== undefined && { body }),
  }));
}

function arbitrarySender({ access }: EndpointDeclaration): fc.Arbitrary<Sender> {
  return fc.oneof(
    { weight: 12, arbitrary: fc.constant<Sender>(access === "admin" ? "admin" : "user") },
    { weight: 4, arbitrary: fc.constant<Sender>("other") },
    { weight: 1, arbitrary: fc.constantFrom<Sender>("guest", "admin", "nobody", "stranger") },
  );
}

function pathOf(
  declaration: EndpointDeclaration,
  known: KnownNames,
  names: readonly string[],
): fc.Arbitrary<string> {
  return fc.constantFrom(...pathsOf(declaration)).chain((path) => {
    const parts = path.split(/\{(\w+)\}/).map((part, index) => {
      // Every second part is the name of a parameter.
      if (index % 2 === 0) return fc.constant(part);
      const fitting = [...(known[part] ?? []), ...(words[part] ?? [])];
      return fc.oneof(
        { weight: 20, arbitrary: fc.constantFrom(...(fitting.length > 0 ? fitting : names)).map(encoded) },
        { weight: 2, arbitrary: fc.constantFrom(...names).map(encoded) },
        { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }).map(encoded) },
        { weight: 1, arbitrary: fc.constantFrom(...oddSegments) },
      );
    });
    return fc.tuple(...parts).map((texts) => texts.join(""));
  });
}

const encoded = (text: string) => encodeURIComponent(text.toWellFormed());

function searchOf({ query }: EndpointDeclaration, vocabulary: Vocabulary): fc.Arbitrary<string> {
  const { properties = {}, required = [] } = (query ?? {}) as JsonSchema;
  const fields = Object.entries(properties).map(([name, property]) => [
    name,
    queryText(name, property, vocabulary),
  ]);
  const record = fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<string>>, {
    // What may wait does so for long unless it is told otherwise.
    requiredKeys: [...required, ...Object.keys(properties).filter(isTimeout)],
    noNullPrototype: true,
  });
  return record.map((texts) => {
    const search = new URLSearchParams(texts).toString();
    return search === "" ? "" : `?${search}`;
  });
}

const isTimeout = (name: string) => name.startsWith("timeout");

function queryText(name: string, property: JsonSchema, vocabulary: Vocabulary): fc.Arbitrary<string> {
  const { names } = vocabulary;
  if (isTimeout(name)) {
    return fc.oneof(fc.nat({ max: maxWaitMs }).map(String), fc.constantFrom("-1", "x", "1.5"));
  }
  if (name === "filter") {
    const json = fc.oneof(arbitraryJson(names), filterOf(names)).map((value) => JSON.stringify(value));
    return fc.oneof(json, arbitraryText(names));
  }
  const fitting = fittingMember(name, property, vocabulary).map((value) => String(value));
  return fc.oneof({ weight: 5, arbitrary: fitting }, { weight: 1, arbitrary: arbitraryText(names) });
}

function filterOf(names: readonly string[]): fc.Arbitrary<unknown> {
  const keys = ["limit", "types", "not_types", "senders", "rooms", "contains_url", "lazy_load_members"];
  const value = fc.oneof(
    fc.nat(),
    fc.boolean(),
    fc.array(arbitraryText(names), { maxLength: 3 }),
    arbitraryJson(names),
  );
  const part = fc.dictionary(fc.constantFrom(...keys, "timeline", "state", "ephemeral"), value, {
    maxKeys: 4,
  });
  const room = fc.dictionary(fc.constantFrom("timeline", "state", "ephemeral", "include_leave"), part);
  return fc.oneof(part, fc.record({ room }), fc.record({ event_fields: value, event_format: value }));
}

function bodyOf(
  { body: schema, method }: EndpointDeclaration,
  vocabulary: Vocabulary,
): fc.Arbitrary<string | Buffer | undefined> {
  if (!schema) {
    const bytes = fc.uint8Array({ maxLength: 500 }).map((array) => Buffer.from(array));
    return method === "GET" ? fc.constant(undefined) : fc.option(bytes, { nil: undefined });
  }
  const fitting = fittingValue(schema, vocabulary);
  const json = fc.oneof(
    { weight: 6, arbitrary: fitting },
    { weight: 4, arbitrary: mutated(fitting, arbitraryJson(vocabulary.names)) },
    { weight: 1, arbitrary: arbitraryJson(vocabulary.names) },
  );
  return fc.oneof(
    { weight: 15, arbitrary: json.map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: brokenJson(json) },
  );
}
