import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { createRoom } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");
const carol = await registerUser(server, "carol");
const type = "org.example.beacon";

async function put(client: TestClient, roomId: string, stateKey: string): Promise<string> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state/${type}/${encodeURIComponent(stateKey)}`;
  const { status, body } = await client.put(path, {}, "setRoomStateWithKey");
  return status === 200 ? "set" : String(body["errcode"]);
}

for (const version of ["org.matrix.msc3757.10", "org.matrix.msc3757.11"]) {
  t.test(
    `createRoom, setRoomStateWithKey: state of users in room version ${version} (MSC3757)`,
    async (t) => {
      const power = { events: { [type]: 0 } };
      const options = { room_version: version, power_level_content_override: power };
      const roomId = await createRoom(alice, options, bob, carol);
      for (const [client, stateKey, outcome] of [
        [bob, bob.userId, "set"],
        [bob, `${bob.userId}_phone`, "set"],
        [bob, `${bob.userId}phone`, "M_FORBIDDEN"],
        [bob, carol.userId, "M_FORBIDDEN"],
        [bob, `${carol.userId}_phone`, "M_FORBIDDEN"],
        [bob, `@x_${bob.userId}_phone`, "M_FORBIDDEN"],
        [alice, `${bob.userId}_phone`, "set"],
        [alice, "@nobody:elsewhere.test", "set"],
        [alice, "@nobody", "M_BAD_JSON"],
        [alice, `${bob.userId}_${"x".repeat(256)}`, "M_BAD_JSON"],
        [alice, "x".repeat(512), "M_TOO_LARGE"],
      ] as const) {
        t.equal(
          await put(client, roomId, stateKey),
          outcome,
          `${client.userId} sets ${stateKey.slice(0, 60)}`,
        );
      }
    },
  );
}

t.test("getCapabilities tells of the room versions of proposals, and that they are that", async (t) => {
  const { body } = await alice.get("/_matrix/client/v3/capabilities", "getCapabilities");
  const available = {
    "12": "stable",
    "org.matrix.msc3757.10": "unstable",
    "org.matrix.msc3757.11": "unstable",
  };
  t.match(body, { capabilities: { "m.room_versions": { available } } });
});
