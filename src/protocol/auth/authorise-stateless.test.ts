import t from "tap";
import type { RoomEvent } from "../pdu.ts";
import type { RoomVersion } from "../room-versions.ts";
import { authoriseStateless } from "./authorise-stateless.ts";
import type { AuthRejection } from "./rejection.ts";
import type { ReferencedEvent } from "./rules/auth-events.ts";
import type { AuthRule } from "./rule-outline.ts";
import { allVersions, type Draft, testEvent, user } from "./testing/test-event.ts";

const accepted = (event: RoomEvent): ReferencedEvent => ({ event, rejected: false });

/** A room's events that may be referred to, and a message with well chosen auth events. */
function setUp(version: RoomVersion) {
  const make = (draft: Draft) => testEvent(version, draft);
  const create = make({ type: "m.room.create", sender: "alice", key: "", id: "create" });
  const powerLevels = make({ type: "m.room.power_levels", sender: "alice", key: "" });
  const joinRules = make({ type: "m.room.join_rules", sender: "alice", key: "" });
  const alice = make({ type: "m.room.member", sender: "alice", key: user("alice") });
  const inCreate = version.roomIdIsCreateHash ? [] : [create];
  const message = make({ type: "m.room.message", sender: "alice" });
  const judge = (authEvents: readonly ReferencedEvent[], event = message, of = accepted(create)) =>
    authoriseStateless(version, event, authEvents, of);
  return { make, create, powerLevels, joinRules, alice, inCreate, message, judge };
}

for (const version of allVersions) {
  const { make, create, powerLevels, joinRules, alice, inCreate, message, judge } = setUp(version);
  const chosen = [...inCreate, powerLevels, alice].map(accepted);

  t.test(`room version ${version.id}: auth events`, async (t) => {
    const refuses = (rule: AuthRule, rejection: AuthRejection | undefined) =>
      t.match(rejection, { rule, message: /^\S.*\.$/ }, rule);

    t.equal(judge(chosen), undefined, "the selection is allowed");
    t.equal(judge(inCreate.map(accepted)), undefined, "and so is less than it");
    refuses("auth_events.duplicate", judge([...chosen, accepted(alice)]));
    refuses(
      "auth_events.duplicate",
      judge([...chosen, accepted(make({ type: "m.room.power_levels", sender: "alice", key: "" }))]),
    );
    refuses("auth_events.unselected", judge([...chosen, accepted(joinRules)]));
    refuses(
      "auth_events.unselected",
      judge([...chosen, accepted(make({ type: "m.room.member", sender: "bob", key: user("bob") }))]),
    );
    refuses("auth_events.unselected", judge([...chosen, accepted(message)]));
    refuses("auth_events.rejected", judge([...inCreate.map(accepted), { event: alice, rejected: true }]));
    const elsewhere = make({
      type: "m.room.member",
      sender: "alice",
      key: user("alice"),
      roomId: "!other:example.org",
    });
    refuses("auth_events.room", judge([...inCreate.map(accepted), accepted(elsewhere)]));
    if (version.roomIdIsCreateHash) refuses("auth_events.unselected", judge([accepted(create), ...chosen]));
    else refuses("auth_events.create", judge([accepted(powerLevels), accepted(alice)]));
  });

  t.test(`room version ${version.id}: create events and the room ID`, async (t) => {
    const content = version.creatorIsSender ? {} : { creator: user("alice") };
    const wellFormed = make({ type: "m.room.create", sender: "alice", key: "", content });
    t.equal(judge([], wellFormed), undefined, "a create event needs no auth events");
    const malformed = make({
      type: "m.room.create",
      sender: "alice",
      key: "",
      content,
      prev: [message.eventId],
    });
    t.match(judge([], malformed), { rule: "create.prev_events" });

    const other = make({ type: "m.room.create", sender: "alice", key: "", content });
    const wrong = [accepted(other), { event: create, rejected: true }, accepted(message)].map(
      (named) => judge(chosen, message, named)?.rule,
    );
    const expected = version.roomIdIsCreateHash ? "room_id" : undefined;
    t.strictSame(wrong, [expected, expected, expected], "the room ID names an accepted create event");
    t.equal(authoriseStateless(version, message, chosen, undefined)?.rule, expected);
  });

  t.test(`room version ${version.id}: the signature of who vouches for a join`, async (t) => {
    const join = (authoriser: string | number, signatures: Draft["signatures"]) =>
      judge(
        chosen,
        make({
          type: "m.room.member",
          sender: "alice",
          key: user("alice"),
          content: { membership: "join", join_authorised_via_users_server: authoriser },
          signatures,
        }),
      )?.rule;
    const refused = version.restrictedJoin ? "member.authoriser.signature" : undefined;
    const signature = { "ed25519:1": "" };
    t.equal(join("@bob:elsewhere.org", { "example.org": signature }), refused, "none by that server");
    t.equal(
      join("@bob:constructor", { "example.org": signature }),
      refused,
      "none by a property of every object",
    );
    t.equal(join("bob", { "example.org": signature }), refused, "no user ID");
    t.equal(join(7, { "example.org": signature }), refused, "no string");
    t.equal(join("@bob:elsewhere.org", { "elsewhere.org": signature }), undefined, "signed");
  });
}
