import { SigningKey } from "../../ed25519.ts";
import type { JsonObject } from "../../json.ts";
import { signJson } from "../../json-signing.ts";
import type { AuthRejection } from "../rejection.ts";
import type { RuleCase } from "./rule-cases.ts";
import { user } from "./test-event.ts";
import type { TestRoom } from "./test-room.ts";

const key = new SigningKey("ed25519:0", new Uint8Array(32).fill(7));
const otherKey = new SigningKey("ed25519:0", new Uint8Array(32).fill(8));

function invite(
  room: TestRoom,
  sender: string,
  target: string,
  more: JsonObject = {},
): AuthRejection | undefined {
  const content: JsonObject = { membership: "invite", ...more };
  return room.judge({ type: "m.room.member", sender, key: user(target), content });
}

/** What an identity server gives to the user who has bound the invited address. */
function signed(by: SigningKey, more: JsonObject = {}): JsonObject {
  return signJson({ mxid: user("dave"), token: "token", ...more }, "identity.example.org", by);
}

function thirdPartyInvite(
  room: TestRoom,
  signedObject: JsonObject,
  target = "dave",
): AuthRejection | undefined {
  return invite(room, "carol", target, { third_party_invite: { display_name: "D…", signed: signedObject } });
}

/** The room with a third-party invite by carol. */
function withInvite(room: TestRoom, content: JsonObject = { public_key: key.publicKey }): TestRoom {
  return room.with({ type: "m.room.third_party_invite", sender: "carol", key: "token", content });
}

/** An invite whose key comes after some others. */
function manyKeys(others: number): JsonObject {
  const listed = Array.from({ length: others }, (_, index) => `${index}`);
  return { public_keys: [...listed, key.publicKey].map((each) => ({ public_key: each })) };
}

const valid: RuleCase["allowed"] = (room) => thirdPartyInvite(withInvite(room), signed(key));

const thirdPartyCases: readonly RuleCase[] = [
  {
    rule: "member.invite.third_party.banned",
    refused: (room) => thirdPartyInvite(withInvite(room).withMember("dave", "ban"), signed(key)),
    // Neither is carol allowed to invite anybody, nor does she need to be in the room any more.
    allowed: (room) => thirdPartyInvite(withInvite(room).withMember("carol", "leave"), signed(key)),
  },
  {
    rule: "member.invite.third_party.signed",
    refused: (room) =>
      invite(withInvite(room), "carol", "dave", { third_party_invite: { display_name: "D…" } }),
    allowed: valid,
  },
  {
    rule: "member.invite.third_party.signed",
    about: "no object at all",
    refused: (room) => invite(withInvite(room), "carol", "dave", { third_party_invite: null }),
    allowed: valid,
  },
  {
    rule: "member.invite.third_party.fields",
    about: "no mxid",
    refused: (room) => thirdPartyInvite(withInvite(room), { token: "token" }),
    allowed: valid,
  },
  {
    rule: "member.invite.third_party.fields",
    about: "no token",
    refused: (room) => thirdPartyInvite(withInvite(room), { mxid: user("dave") }),
    allowed: valid,
  },
  {
    rule: "member.invite.third_party.mxid",
    refused: (room) => thirdPartyInvite(withInvite(room), signed(key), "mallory"),
    allowed: valid,
  },
  {
    rule: "member.invite.third_party.token",
    refused: (room) => thirdPartyInvite(withInvite(room), signed(key, { token: "another" })),
    allowed: valid,
  },
  {
    rule: "member.invite.third_party.sender",
    refused: (room) =>
      invite(withInvite(room), "moderator", "dave", { third_party_invite: { signed: signed(key) } }),
    allowed: valid,
  },
  {
    rule: "member.invite.third_party.otherwise",
    about: "another key",
    refused: (room) => thirdPartyInvite(withInvite(room), signed(otherKey)),
    allowed: (room) =>
      thirdPartyInvite(
        withInvite(room, { public_key: key.publicKey, public_keys: [{ public_key: otherKey.publicKey }] }),
        signed(otherKey),
      ),
  },
  {
    rule: "member.invite.third_party.otherwise",
    about: "no key",
    refused: (room) => thirdPartyInvite(withInvite(room, {}), signed(key)),
    allowed: (room) =>
      thirdPartyInvite(
        withInvite(room, { public_keys: [null, {}, { public_key: key.publicKey }] }),
        signed(key),
      ),
  },
  {
    rule: "member.invite.third_party.otherwise",
    about: "keys that are none, or prove nothing",
    refused: (room) =>
      thirdPartyInvite(
        withInvite(room, { public_key: "no", public_keys: [{ public_key: "A".repeat(43) }] }),
        signed(key),
      ),
    allowed: (room) =>
      thirdPartyInvite(
        withInvite(room, { public_key: "A".repeat(43), public_keys: [{ public_key: key.publicKey }] }),
        signed(key),
      ),
  },
  {
    rule: "member.invite.third_party.otherwise",
    about: "more keys than are tried",
    refused: (room) => thirdPartyInvite(withInvite(room, manyKeys(16)), signed(key)),
    allowed: (room) => thirdPartyInvite(withInvite(room, manyKeys(15)), signed(key)),
  },
  {
    rule: "member.invite.third_party.otherwise",
    about: "something changed after it was signed",
    refused: (room) => thirdPartyInvite(withInvite(room), { ...signed(key), extra: true }),
    allowed: (room) => thirdPartyInvite(withInvite(room), signed(key, { extra: true })),
  },
  {
    rule: "member.invite.third_party.otherwise",
    about: "not signed",
    refused: (room) => thirdPartyInvite(withInvite(room), { mxid: user("dave"), token: "token" }),
    allowed: valid,
  },
];

/** Rule 5.4: invites. */
export const inviteCases: readonly RuleCase[] = [
  ...thirdPartyCases,
  {
    rule: "member.invite.sender",
    refused: (room) => invite(room.withMember("moderator", "leave"), "moderator", "dave"),
    allowed: (room) => invite(room, "moderator", "dave"),
  },
  ...["join", "ban"].map(
    (membership): RuleCase => ({
      rule: "member.invite.target",
      about: `after ${membership}`,
      refused: (room) => invite(room.withMember("dave", membership), "moderator", "dave"),
      allowed: (room) => invite(room.withMember("dave", "leave"), "moderator", "dave"),
    }),
  ),
  {
    rule: "member.invite.otherwise",
    refused: (room) => invite(room, "carol", "dave"),
    allowed: (room) => invite(room.without("m.room.power_levels"), "carol", "dave"),
  },
];
