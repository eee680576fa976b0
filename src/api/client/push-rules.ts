import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

const versions = ["v3", "r0"];
const rulePath = "/pushrules/global/{kind}/{ruleId}";

export const getPushRules = endpoint({
  operationId: "getPushRules",
  method: "GET",
  path: "/pushrules",
  trailingSlash: true,
  versions,
  access: "user",
  rateLimit: "default",
});

export const getPushRulesGlobal = endpoint({
  operationId: "getPushRulesGlobal",
  method: "GET",
  path: "/pushrules/global",
  trailingSlash: true,
  versions,
  access: "user",
  rateLimit: "default",
});

export const getPushRule = endpoint({
  operationId: "getPushRule",
  method: "GET",
  path: rulePath,
  versions,
  access: "user",
  rateLimit: "default",
});

export const setPushRule = endpoint({
  operationId: "setPushRule",
  method: "PUT",
  path: rulePath,
  versions,
  access: "user",
  rateLimit: "default",
  query: Type.Object({ before: Type.Optional(Type.String()), after: Type.Optional(Type.String()) }),
  body: Type.Object({
    actions: Type.Optional(Type.Unknown()),
    conditions: Type.Optional(Type.Unknown()),
    pattern: Type.Optional(Type.Unknown()),
  }),
});

export const deletePushRule = endpoint({
  operationId: "deletePushRule",
  method: "DELETE",
  path: rulePath,
  versions,
  access: "user",
  rateLimit: "default",
});

export const isPushRuleEnabled = endpoint({
  operationId: "isPushRuleEnabled",
  method: "GET",
  path: `${rulePath}/enabled`,
  versions,
  access: "user",
  rateLimit: "default",
});

export const setPushRuleEnabled = endpoint({
  operationId: "setPushRuleEnabled",
  method: "PUT",
  path: `${rulePath}/enabled`,
  versions,
  access: "user",
  rateLimit: "default",
  body: Type.Object({ enabled: Type.Boolean() }),
});

export const getPushRuleActions = endpoint({
  operationId: "getPushRuleActions",
  method: "GET",
  path: `${rulePath}/actions`,
  versions,
  access: "user",
  rateLimit: "default",
});

export const setPushRuleActions = endpoint({
  operationId: "setPushRuleActions",
  method: "PUT",
  path: `${rulePath}/actions`,
  versions,
  access: "user",
  rateLimit: "default",
  body: Type.Object({ actions: Type.Unknown() }),
});
