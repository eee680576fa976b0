import type { TestClient } from "../support/client.ts";
import type { Json } from "../support/rooms.ts";
import type { Chance } from "./chance.ts";
import type { Party, Scene } from "./scene.ts";

/** Something that a server's users do; what the room's rules do not allow comes to nothing. */
type Deed = (scene: Scene, party: Party, chance: Chance) => Promise<unknown>;

const say: Deed = (scene, { speaker }) => scene.say(speaker);
const title: Deed = (scene, { moderator }, chance) => {
  const [type, key] = chance.pick([
    ["m.room.topic", "topic"],
    ["m.room.name", "name"],
  ] as const);
  return scene.setState(moderator, type, "", { [key]: `${moderator.userId} ${chance.below(1_000)}` });
};
const custom: Deed = (scene, { moderator }, chance) => {
  return scene.setState(moderator, "org.example.thing", `${chance.below(3)}`, { value: chance.below(1_000) });
};
const moderate: Deed = (scene, { moderator }, chance) => {
  const user_id = someOther(scene, chance).userId;
  return scene.post(moderator, chance.pick(["ban", "ban", "unban", "kick", "invite"]), { user_id });
};
const level: Deed = async (scene, { moderator }, chance) => {
  const levels = await scene.stateEvent(moderator, "m.room.power_levels");
  if (!levels) return;
  const subject = chance.below(4) === 0 ? chance.pick(scene.parties).moderator : someOther(scene, chance);
  const users = { ...(levels["users"] as Json), [subject.userId]: chance.pick([0, 50, 99]) };
  await scene.setState(moderator, "m.room.power_levels", "", { ...levels, users });
};
const rules: Deed = (scene, { moderator }, chance) => {
  const join_rule = chance.pick(["public", "public", "invite"]);
  return scene.setState(moderator, "m.room.join_rules", "", { join_rule });
};
const goOut: Deed = (scene, { others }, chance) => scene.post(chance.pick(others), "leave", {});
const comeIn: Deed = (scene, { others }, chance) => scene.post(chance.pick(others), "join", {});
const chat: Deed = (scene, { others }, chance) => {
  const content = { membership: "join", displayname: `Somebody ${chance.below(1_000)}` };
  const user = chance.pick(others);
  return scene.setState(user, "m.room.member", user.userId, content);
};

const deeds: readonly Deed[] = [
  say,
  say,
  say,
  say,
  title,
  custom,
  moderate,
  moderate,
  level,
  rules,
  goOut,
  comeIn,
  chat,
];

/** The users of one server do so many things, one after the other. */
export async function act(scene: Scene, party: Party, chance: Chance, count: number): Promise<void> {
  for (let done = 0; done < count; done++) await chance.pick(deeds)(scene, party, chance);
}

function someOther({ parties }: Scene, chance: Chance): TestClient {
  return chance.pick(chance.pick(parties).others);
}
