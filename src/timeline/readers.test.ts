import t from "tap";
import { NameCache } from "../storage/name-cache.ts";
import type { NameStore } from "../storage/names.ts";
import { Readers } from "./readers.ts";

const user = { userNid: 1, userId: "@alice:hearth.test", deviceId: "A" };
const list = new Set(["@bob:hearth.test", "@carol:hearth.test"]);

t.test("ignored users are looked up once, and again after a failure", async (t) => {
  let isBusy = true;
  const asked: string[] = [];
  const store = {
    findUser: () => Promise.resolve(undefined),
    async internUser(userId: string) {
      asked.push(userId);
      if (isBusy) throw new Error("busy");
      return userId.length;
    },
  };
  const names = new NameCache(store as Partial<NameStore> as NameStore, () => true);
  const readers = new Readers({ ignoredUsers: () => Promise.resolve(list) }, names);
  await t.rejects(readers.of(user), { message: "busy" });
  isBusy = false;
  asked.length = 0;
  t.same((await readers.of(user)).ignored, new Set([16, 18]));
  t.same(asked, [...list]);
  await readers.of(user);
  t.same(asked, [...list]);
});
