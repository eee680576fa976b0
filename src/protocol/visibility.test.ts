import * as fc from "fast-check";
import t from "tap";
import { mayServerSeeEvent, mayUserSeeEvent, parseHistoryVisibility } from "./visibility.ts";
import type { UserAtEvent, VisibleEvent } from "./visibility.ts";

const userId = "@alice:example.org";
const message: VisibleEvent = { type: "m.room.message", stateKey: undefined, content: { body: "hi" } };

function user(membershipBefore: unknown, joinedLater = false): UserAtEvent {
  return { userId, membershipBefore, joinedLater };
}

function member(membership: string, stateKey = userId): VisibleEvent {
  return { type: "m.room.member", stateKey, content: { membership } };
}

function visibilityChange(value: string, stateKey = ""): VisibleEvent {
  return { type: "m.room.history_visibility", stateKey, content: { history_visibility: value } };
}

const memberships = [undefined, "join", "invite", "knock", "leave", "ban", 7] as const;

t.test("the value that is not understood is shared", async (t) => {
  for (const value of ["world_readable", "shared", "invited", "joined"]) {
    t.equal(parseHistoryVisibility(value), value);
  }
  for (const value of [undefined, null, "", "Joined", "public", 1, {}]) {
    t.equal(parseHistoryVisibility(value), "shared", JSON.stringify(value) ?? "undefined");
  }
});

t.test("rules 1 to 5, by visibility and membership at the event", async (t) => {
  const cases: [visibility: unknown, allowed: unknown[], allowedWhenJoinedLater: unknown[]][] = [
    ["world_readable", [...memberships], [...memberships]],
    ["shared", ["join"], [...memberships]],
    [undefined, ["join"], [...memberships]],
    ["nonsense", ["join"], [...memberships]],
    ["invited", ["join", "invite"], ["join", "invite"]],
    ["joined", ["join"], ["join"]],
  ];
  for (const [visibility, allowed, allowedWhenJoinedLater] of cases) {
    const seenBy = (joinedLater: boolean) =>
      memberships.filter((membership) => mayUserSeeEvent(message, visibility, user(membership, joinedLater)));
    t.strictSame(seenBy(false), allowed, `${String(visibility)}, never joined later`);
    t.strictSame(seenBy(true), allowedWhenJoinedLater, `${String(visibility)}, joined later`);
  }
});

t.test("the user's own membership events: before or after", async (t) => {
  const cases: [visibility: string, before: string | undefined, after: string, allowed: boolean][] = [
    ["joined", undefined, "join", true],
    ["joined", "invite", "join", true],
    ["joined", "join", "leave", true],
    ["joined", "join", "ban", true],
    ["joined", undefined, "invite", false],
    ["joined", "invite", "leave", false],
    ["joined", "leave", "ban", false],
    ["invited", undefined, "invite", true],
    ["invited", "invite", "leave", true],
    ["invited", "leave", "ban", false],
    ["shared", undefined, "invite", false],
    ["shared", "ban", "leave", false],
    ["world_readable", "leave", "ban", true],
  ];
  for (const [visibility, before, after, allowed] of cases) {
    t.equal(
      mayUserSeeEvent(member(after), visibility, user(before)),
      allowed,
      `${visibility}: ${before} to ${after}`,
    );
  }
});

t.test("other users' membership events have no such rule", async (t) => {
  t.equal(mayUserSeeEvent(member("join", "@bob:example.org"), "joined", user(undefined)), false);
  t.equal(mayUserSeeEvent(member("join", "@bob:example.org"), "joined", user("join")), true);
  const notState: VisibleEvent = { ...member("join"), stateKey: undefined };
  t.equal(mayUserSeeEvent(notState, "joined", user(undefined)), false);
});

t.test("events that change the visibility: before or after", async (t) => {
  t.equal(mayUserSeeEvent(visibilityChange("joined"), "world_readable", user(undefined)), true);
  t.equal(mayUserSeeEvent(visibilityChange("world_readable"), "joined", user(undefined)), true);
  t.equal(mayUserSeeEvent(visibilityChange("invited"), "joined", user("invite")), true);
  t.equal(mayUserSeeEvent(visibilityChange("joined"), "invited", user("invite")), true);
  t.equal(mayUserSeeEvent(visibilityChange("shared"), "joined", user(undefined, true)), true);
  t.equal(
    mayUserSeeEvent(visibilityChange("nonsense"), "joined", user(undefined, true)),
    true,
    "it means shared",
  );
  t.equal(mayUserSeeEvent(visibilityChange("joined"), "joined", user(undefined, true)), false);
  t.equal(mayUserSeeEvent(visibilityChange("shared"), "joined", user(undefined)), false);
  t.equal(
    mayUserSeeEvent(visibilityChange("world_readable", "x"), "joined", user(undefined)),
    false,
    "only with an empty state key is it the room's setting",
  );
});

t.test("servers", async (t) => {
  const bob = { userId: "@bob:example.org", membershipBefore: "join", joinedLater: false };
  t.equal(mayServerSeeEvent(message, "joined", [user("leave"), bob]), true);
  t.equal(mayServerSeeEvent(message, "joined", [user("leave"), user("invite", true)]), false);
  t.equal(mayServerSeeEvent(message, "invited", [user("invite")]), true);
  t.equal(mayServerSeeEvent(message, undefined, [user(undefined, true)]), true);
  t.equal(mayServerSeeEvent(message, "shared", []), false);
  t.equal(mayServerSeeEvent(message, "world_readable", []), true);
  t.equal(mayServerSeeEvent(visibilityChange("world_readable"), "joined", []), true);
});

t.test("a server sees what one of its users sees, and an opener setting never hides anything", async (t) => {
  const settings = ["joined", "invited", "shared", "world_readable"] as const;
  const users = fc.array(
    fc.record({
      userId: fc.constantFrom(userId, "@bob:example.org"),
      membershipBefore: fc.constantFrom(...memberships),
      joinedLater: fc.boolean(),
    }),
    { maxLength: 4 },
  );
  const events = fc.oneof(
    fc.constant(message),
    fc.constantFrom("join", "invite", "leave", "ban").map((membership) => member(membership)),
    fc.constantFrom(...settings).map((value) => visibilityChange(value)),
  );
  fc.assert(
    fc.property(events, fc.constantFrom(...settings), users, (event, visibility, members) => {
      const seenByOne = members.some((each) => mayUserSeeEvent(event, visibility, each));
      const isOpen = mayUserSeeEvent(event, visibility, {
        ...user(undefined),
        userId: "@nobody:example.org",
      });
      const everythingIsSeen = members.every((each) => mayUserSeeEvent(event, "world_readable", each));
      return mayServerSeeEvent(event, visibility, members) === (seenByOne || isOpen) && everythingIsSeen;
    }),
  );
  t.equal(mayUserSeeEvent(message, "joined", user("join")), true);
});
