import t from "tap";
import { allVersions, testEvent } from "./testing/test-event.ts";
import { testRoom } from "./testing/test-room.ts";
import { mayRedact } from "./redaction.ts";

for (const version of allVersions) {
  t.test(`room version ${version.id}: whether a redaction takes effect`, async (t) => {
    const { levels } = testRoom(version);
    const applies = (sender: string, target: string, roomId?: string): boolean =>
      mayRedact(
        version,
        testEvent(version, { type: "m.room.redaction", sender, roomId }),
        testEvent(version, { type: "m.room.message", sender: target }),
        levels,
      );
    t.equal(applies("moderator", "@eve:elsewhere.org"), true, "by level");
    t.equal(applies("carol", "dave"), true, "of the same server's event");
    t.equal(
      applies("carol", "@eve:elsewhere.org"),
      version.redactionInAuthRules,
      "the rules have judged it or not",
    );
    t.equal(applies("moderator", "dave", "!other:example.org"), false, "in another room");
  });
}
