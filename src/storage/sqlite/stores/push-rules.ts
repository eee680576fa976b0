import type { PushRuleStore, StoredRuleset } from "../../push-rules.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";

function find(db: Connection, userNid: number): StoredRuleset | undefined {
  return db.get<StoredRuleset>("SELECT rules, position FROM push_rules WHERE user_nid = ?", userNid);
}

function replace(
  tx: WriteTransaction,
  userNid: number,
  expectedPosition: number | null,
  rules: string,
): boolean {
  const found = find(tx.db, userNid);
  if ((found?.position ?? null) !== expectedPosition) return false;
  tx.db.run(
    `INSERT INTO push_rules (user_nid, rules, position) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET rules = excluded.rules, position = excluded.position`,
    userNid,
    rules,
    tx.position("accountData", userNid),
  );
  return true;
}

export const pushRuleOperations: StoreOperations<PushRuleStore> = {
  find: point(find),
  replace: write(replace),
};
