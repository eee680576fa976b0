/** Push rules: which events notify a user, and how. Specification: client-server API, "Push Notifications". */
export type { PushOutcome } from "./actions.ts";
export { PushRuleCompiler } from "./compile.ts";
export type { PushUser } from "./conditions.ts";
export { defaultPushRules, masterRuleId } from "./default-rules.ts";
export type { DefaultPushRule, DefaultRuleOptions } from "./default-rules.ts";
export { addRule, deleteRule, setActions, setEnabled } from "./edit.ts";
export type { RulePlace } from "./edit.ts";
export { PushRuleError } from "./errors.ts";
export { EventForPush } from "./event.ts";
export type { PushEvent, RoomForPush } from "./event.ts";
export * from "./rules.ts";
export type { CompiledRuleset } from "./ruleset.ts";
export { parseRuleKind } from "./validation.ts";
export type { PushRuleBody } from "./validation.ts";
export { rulesToWire, ruleToWire } from "./wire.ts";
