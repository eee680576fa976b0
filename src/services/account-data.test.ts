import t from "tap";
import type { UserId } from "../protocol/identifiers.ts";
import { defaultPushRules } from "../protocol/push/default-rules.ts";
import { openSqliteDatabase } from "../storage/sqlite/open.ts";
import { AccountDataService } from "./account-data.ts";
import { PushRuleService } from "./push-rules.ts";

const alice = { userNid: 1, userId: "@alice:hearth.test" as UserId };
const roomId = "!room:hearth.test";

async function openServices(folder: string) {
  let position = 0;
  const database = await openSqliteDatabase(
    folder,
    (committed) => {
      position = committed;
    },
    (error) => {
      throw error;
    },
  );
  const pushRules = new PushRuleService(database.stores.pushRules, defaultPushRules());
  const accountData = new AccountDataService(database.stores.accountData, pushRules);
  return {
    accountData,
    pushRules,
    position: () => position,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

t.test("sync gets what has changed since it was last there, by room", async (t) => {
  await using services = await openServices(t.testdir());
  const { accountData, pushRules, position } = services;
  await accountData.put(1, "", "before", {});
  const since = position();
  t.strictSame(await accountData.changedBetween(alice, since, since), { global: [], rooms: new Map() });
  await accountData.put(1, "", "m.direct", { a: 1 });
  await accountData.putTag(1, roomId, "u.work", {});
  await accountData.put(1, roomId, "m.marked_unread", { unread: true });
  await accountData.put(2, "", "of.another", {});
  const changed = await accountData.changedBetween(alice, since, position());
  t.strictSame(changed.global, [{ type: "m.direct", content: '{"a":1}' }]);
  t.strictSame(
    changed.rooms,
    new Map([
      [
        roomId,
        [
          { type: "m.tag", content: '{"tags":{"u.work":{}}}' },
          { type: "m.marked_unread", content: '{"unread":true}' },
        ],
      ],
    ]),
  );
  const beforeRules = position();
  await pushRules.setEnabled(1, { kind: "override", ruleId: ".m.rule.master" }, true);
  const rules = await accountData.changedBetween(alice, beforeRules, position());
  t.match(rules.global, [{ type: "m.push_rules", content: /"\.m\.rule\.master"/ }]);
  t.strictSame((await accountData.changedBetween(alice, position(), position() + 9)).global, []);
});

t.test("a first sync gets everything, push rules included", async (t) => {
  await using services = await openServices(t.testdir());
  const { accountData } = services;
  await accountData.put(1, "", "m.direct", { a: 1 });
  await accountData.put(1, roomId, "m.marked_unread", { unread: true });
  const { global, rooms } = await accountData.all(alice);
  t.strictSame(
    global.map(({ type }) => type),
    ["m.push_rules", "m.direct"],
  );
  t.strictSame(JSON.parse(global[0]?.content ?? ""), { global: await services.pushRules.rulesOf(alice) });
  t.strictSame([...rooms.keys()], [roomId]);
});

t.test("ignored users are known at once, whatever a client writes", async (t) => {
  await using services = await openServices(t.testdir());
  const { accountData } = services;
  const ignored = async (content: Parameters<typeof accountData.put>[3]) => {
    await accountData.put(1, "", "m.ignored_user_list", content);
    return [...(await accountData.ignoredUsers(1))];
  };
  t.equal((await accountData.ignoredUsers(1)).size, 0);
  t.strictSame(await ignored({ ignored_users: { "@bob:x": {}, "@eve:x": {} } }), ["@bob:x", "@eve:x"]);
  t.strictSame(await ignored({ ignored_users: ["@bob:x"] }), []);
  t.strictSame(await ignored({ ignored_users: { "@bob:x": {} } }), ["@bob:x"]);
  t.strictSame(await ignored({}), []);
  await accountData.put(1, roomId, "m.ignored_user_list", { ignored_users: { "@bob:x": {} } });
  t.equal((await accountData.ignoredUsers(1)).size, 0, "only the global list counts");
});

t.test("compiled push rules follow each change; users without own rules share one set", async (t) => {
  await using services = await openServices(t.testdir());
  const { pushRules } = services;
  const untouched = await pushRules.compiledFor(1);
  t.equal(await pushRules.compiledFor(2), untouched);
  await pushRules.add(1, { kind: "room", ruleId: roomId }, { actions: [] }, {});
  const own = await pushRules.compiledFor(1);
  t.not(own, untouched);
  t.equal(await pushRules.compiledFor(1), own);
  await pushRules.delete(1, { kind: "room", ruleId: roomId });
  t.equal(await pushRules.compiledFor(1), untouched);
});

t.test("who may invite is known at once, whatever a client writes", async (t) => {
  await using services = await openServices(t.testdir());
  const { accountData } = services;
  const type = "org.matrix.msc4155.invite_permission_config";
  const verdict = async () => (await accountData.inviteFilter(1)).verdict("@eve:badguys.org");
  t.equal(await verdict(), "allow");
  await accountData.put(1, "", type, { blocked_servers: ["badguys.org"] });
  t.equal(await verdict(), "block");
  t.equal((await accountData.inviteFilter(2)).verdict("@eve:badguys.org"), "allow", "others have their own");
  await accountData.put(1, roomId, type, {});
  t.equal(await verdict(), "block", "only what is global counts");
  await accountData.put(1, "", type, { ignored_users: ["@eve:*"] });
  t.equal(await verdict(), "ignore");
  await accountData.put(1, "", type, { ignored_users: "@eve:*" });
  t.equal(await verdict(), "allow", "what is invalid allows everything");
  await accountData.put(1, "", type, { ignored_users: ["@eve:*"] });
  t.equal(await verdict(), "ignore");
  await accountData.remove(1, "", type);
  t.equal(await verdict(), "allow");
});
