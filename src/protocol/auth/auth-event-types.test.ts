import t from "tap";
import type { JsonObject } from "../json.ts";
import { authEventTypesFor } from "./auth-event-types.ts";
import { allVersions, user, versionNamed } from "./testing/test-event.ts";

const names = (id: string, type: string, content: JsonObject = {}, target?: string): string[] => {
  const event = { type, sender: user("alice"), stateKey: target, content };
  return authEventTypesFor(versionNamed(id), event).map(([pairType, key]) => `${pairType.slice(7)} ${key}`);
};

const [alice, bob] = [user("alice"), user("bob")];
const always = ["create ", "power_levels ", `member ${alice}`];

t.test("a create event rests on nothing", async (t) => {
  for (const version of allVersions) t.strictSame(names(version.id, "m.room.create"), []);
});

t.test("most events rest on the create event, the power levels and the sender's membership", async (t) => {
  for (const version of allVersions) {
    const expected = version.roomIdIsCreateHash ? always.slice(1) : always;
    t.strictSame(names(version.id, "m.room.message"), expected, version.id);
    t.strictSame(names(version.id, "m.room.topic", { membership: "join" }, bob), expected, version.id);
  }
});

t.test("member events", async (t) => {
  const member = (content: JsonObject, target: string | undefined, id = "11") =>
    names(id, "m.room.member", content, target).slice(always.length);
  t.strictSame(member({ membership: "leave" }, bob), [`member ${bob}`]);
  t.strictSame(member({ membership: "ban" }, bob), [`member ${bob}`]);
  t.strictSame(member({ membership: "leave" }, alice), [], "nothing comes twice");
  t.strictSame(member({ membership: "join" }, undefined), ["join_rules "]);
  for (const membership of ["join", "knock"]) {
    t.strictSame(member({ membership }, alice), ["join_rules "], membership);
  }
  t.strictSame(member({ membership: "invite" }, bob), [`member ${bob}`, "join_rules "]);
});

t.test("third-party invites", async (t) => {
  const invite = (thirdParty: JsonObject | null, membership = "invite") =>
    names("1", "m.room.member", { membership, third_party_invite: thirdParty }, bob).slice(always.length);
  const plain = [`member ${bob}`, "join_rules "];
  t.strictSame(invite({ signed: { token: "abc" } }), [...plain, "third_party_invite abc"]);
  t.strictSame(invite({ signed: { token: "abc" } }, "join"), plain);
  t.strictSame(invite({ signed: { token: 7 } }), plain);
  t.strictSame(invite({ signed: null }), plain);
  t.strictSame(invite(null), plain);
});

t.test("who vouches for a restricted join", async (t) => {
  const join = (id: string, authoriser: string | null, membership = "join") =>
    names(id, "m.room.member", { membership, join_authorised_via_users_server: authoriser }, alice).slice(
      always.length,
    );
  t.strictSame(join("7", bob), ["join_rules "]);
  t.strictSame(join("8", bob), ["join_rules ", `member ${bob}`]);
  t.strictSame(join("8", alice), ["join_rules "]);
  t.strictSame(join("8", null), ["join_rules "]);
  const forBob = { membership: "join", join_authorised_via_users_server: alice };
  t.strictSame(names("8", "m.room.member", forBob, bob).slice(always.length), [
    `member ${bob}`,
    "join_rules ",
  ]);
  t.strictSame(join("8", bob, "knock"), ["join_rules "]);
});
