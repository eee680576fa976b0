import t from "tap";
import { roomVersion, supportedRoomVersions } from "./room-versions.ts";
import type { RoomVersion } from "./room-versions.ts";
import { specVectors } from "./testing/spec-vectors.ts";

interface VersionVectors {
  event_id_format: string;
  canonical_json_enforced: boolean;
  signing_key_validity_enforced: boolean;
  state_resolution: string;
  integer_power_levels_only: boolean;
  knock: boolean;
  restricted: boolean;
  knock_restricted: boolean;
  redacts_in_content: boolean;
  creator_in_create_content: boolean;
  room_id_is_create_event_hash: boolean;
  privileged_creators: boolean;
}
const vectors = specVectors<{ versions: Record<string, VersionVectors> }>("redaction_rules");

const eventIdFormats: Record<RoomVersion["eventIdFormat"], string> = {
  named: "opaque:domain",
  hash: "reference hash, standard unpadded base64",
  "url-safe-hash": "reference hash, URL-safe unpadded base64",
};

t.test("the rules are those of the specification's table", { skip: vectors.skip }, async (t) => {
  const { versions } = vectors.read();
  t.same(Object.keys(versions), supportedRoomVersions);
  for (const [id, rules] of Object.entries(versions)) {
    const version = roomVersion(id);
    t.match(
      version,
      {
        id,
        strictCanonicalJson: rules.canonical_json_enforced,
        enforceKeyValidity: rules.signing_key_validity_enforced,
        stateResolution: `v${rules.state_resolution}`,
        integerPowerLevels: rules.integer_power_levels_only,
        knock: rules.knock,
        restrictedJoin: rules.restricted,
        knockRestricted: rules.knock_restricted,
        redactsInContent: rules.redacts_in_content,
        creatorIsSender: !rules.creator_in_create_content,
        roomIdIsCreateHash: rules.room_id_is_create_event_hash,
        privilegedCreators: rules.privileged_creators,
      },
      id,
    );
    t.equal(version && eventIdFormats[version.eventIdFormat], rules.event_id_format, id);
  }
});

t.test("rules that changed, and when", async (t) => {
  const firstWith = (has: (version: RoomVersion) => boolean): string | undefined =>
    supportedRoomVersions.find((id) => {
      const version = roomVersion(id);
      return version !== undefined && has(version);
    });
  t.equal(
    firstWith((version) => version.stateResolution === "v2"),
    "2",
  );
  t.equal(
    firstWith((version) => !version.redactionInAuthRules),
    "3",
  );
  t.equal(
    firstWith((version) => version.eventIdFormat === "hash"),
    "3",
  );
  t.equal(
    firstWith((version) => version.eventIdFormat === "url-safe-hash"),
    "4",
  );
  t.equal(
    firstWith((version) => version.enforceKeyValidity),
    "5",
  );
  t.equal(
    firstWith((version) => !version.specialAliases),
    "6",
  );
  t.equal(
    firstWith((version) => version.checkNotificationLevels),
    "6",
  );
  t.equal(
    firstWith((version) => version.strictCanonicalJson),
    "6",
  );
  t.equal(
    firstWith((version) => version.knock),
    "7",
  );
  t.equal(
    firstWith((version) => version.restrictedJoin),
    "8",
  );
  t.equal(
    firstWith((version) => version.knockRestricted),
    "10",
  );
  t.equal(
    firstWith((version) => version.integerPowerLevels),
    "10",
  );
  t.equal(
    firstWith((version) => version.creatorIsSender),
    "11",
  );
  t.equal(
    firstWith((version) => version.privilegedCreators),
    "12",
  );
  t.equal(
    firstWith((version) => version.stateResolution === "v2.1"),
    "12",
  );
});

t.test("records cannot be changed, and unknown versions have none", async (t) => {
  t.equal(roomVersion("13"), undefined);
  t.equal(roomVersion("__proto__"), undefined);
  t.equal(Object.isFrozen(roomVersion("12")), true);
});
