import {
  deletePushRule,
  getPushRule,
  getPushRuleActions,
  getPushRules,
  getPushRulesGlobal,
  isPushRuleEnabled,
  setPushRule,
  setPushRuleActions,
  setPushRuleEnabled,
} from "../../api/client/push-rules.ts";
import type { PushRuleService } from "../../services/push-rules.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";

/** Client-server API, "Push Rules: API". */
export function pushRuleHandlers(pushRules: PushRuleService): BoundEndpoint[] {
  return [
    handler(getPushRules, async ({ requester }) => ({ global: await pushRules.rulesOf(requester) })),
    handler(getPushRulesGlobal, ({ requester }) => pushRules.rulesOf(requester)),
    handler(getPushRule, ({ params, requester }) => pushRules.ruleOf(requester, params)),
    handler(setPushRule, async ({ params, query, body, requester }) => {
      await pushRules.add(requester.userNid, params, body, query);
      return {};
    }),
    handler(deletePushRule, async ({ params, requester }) => {
      await pushRules.delete(requester.userNid, params);
      return {};
    }),
    handler(isPushRuleEnabled, async ({ params, requester }) => {
      const { enabled } = await pushRules.ruleOf(requester, params);
      return { enabled };
    }),
    handler(setPushRuleEnabled, async ({ params, body, requester }) => {
      await pushRules.setEnabled(requester.userNid, params, body.enabled);
      return {};
    }),
    handler(getPushRuleActions, async ({ params, requester }) => {
      const { actions } = await pushRules.ruleOf(requester, params);
      return { actions };
    }),
    handler(setPushRuleActions, async ({ params, body, requester }) => {
      await pushRules.setActions(requester.userNid, params, body.actions);
      return {};
    }),
  ];
}
