import { type Errcode, MatrixError } from "../protocol/matrix-error.ts";
import { PushRuleCompiler } from "../protocol/push/compile.ts";
import type { DefaultPushRule } from "../protocol/push/default-rules.ts";
import { addRule, deleteRule, type RulePlace, setActions, setEnabled } from "../protocol/push/edit.ts";
import { PushRuleError } from "../protocol/push/errors.ts";
import {
  type PushRule,
  type PushRuleset,
  type StoredPushRules,
  untouchedPushRules,
} from "../protocol/push/rules.ts";
import type { CompiledRuleset } from "../protocol/push/ruleset.ts";
import { parseRuleKind, type PushRuleBody } from "../protocol/push/validation.ts";
import { ruleToWire, rulesToWire } from "../protocol/push/wire.ts";
import type { PushRuleStore, StoredRuleset } from "../storage/push-rules.ts";
import { ReadCache } from "../storage/read-cache.ts";
import type { LocalUser } from "./local-user.ts";

/** Kind and ID of a rule, as a path names them. */
export interface RuleName {
  readonly kind: string;
  readonly ruleId: string;
}

interface UserRules {
  readonly stored: StoredPushRules;
  /** Position of the last change; `null` when there was none. */
  readonly position: number | null;
  readonly compiled: CompiledRuleset;
}

/** Every event asks for the rules of each member of its room; users without own rules share one compiled set. */
const cachedUsers = 20_000;
/** How often a change is tried anew when another device of the user is quicker. */
const maxAttempts = 10;

/** Users' push rules (client-server API, "Push Rules: API"). */
export class PushRuleService {
  readonly #store: PushRuleStore;
  readonly #defaults: readonly DefaultPushRule[];
  readonly #compiler: PushRuleCompiler;
  readonly #cache: ReadCache<number, UserRules>;

  constructor(store: PushRuleStore, defaults: readonly DefaultPushRule[]) {
    this.#store = store;
    this.#defaults = defaults;
    this.#compiler = new PushRuleCompiler(defaults);
    this.#cache = new ReadCache(cachedUsers, (userNid) => this.#load(userNid));
  }

  /** The rules of everybody who has changed none, ready for evaluation. */
  get untouched(): CompiledRuleset {
    return this.#compiler.untouched;
  }

  /** A user's rules ready for evaluation. */
  async compiledFor(userNid: number): Promise<CompiledRuleset> {
    return (await this.#cache.get(userNid)).compiled;
  }

  /** All rules, as clients get them. */
  async rulesOf({ userNid, userId }: LocalUser): Promise<PushRuleset> {
    const { stored } = await this.#cache.get(userNid);
    return rulesToWire(stored, this.#defaults, userId);
  }

  /** @throws MatrixError M_NOT_FOUND, M_INVALID_PARAM for an unknown kind. */
  async ruleOf({ userNid, userId }: LocalUser, { kind, ruleId }: RuleName): Promise<PushRule> {
    const { stored } = await this.#cache.get(userNid);
    return translated(() => ruleToWire(stored, this.#defaults, userId, parseRuleKind(kind), ruleId));
  }

  /** The content of `m.push_rules`, as JSON text. */
  async contentFor(user: LocalUser): Promise<string> {
    return this.#contentOf(user, await this.#store.find(user.userNid));
  }

  /** The content of `m.push_rules` if its last change lies after `since` and not after `upTo`. */
  async contentChangedBetween(user: LocalUser, since: number, upTo: number): Promise<string | undefined> {
    // Past the cache: whoever waits for a change is woken before the writer's own promise is settled.
    const found = await this.#store.find(user.userNid);
    const isChanged = found !== undefined && found.position > since && found.position <= upTo;
    return isChanged ? this.#contentOf(user, found) : undefined;
  }

  /**
   * Adds or replaces one of the user's own rules.
   * @param body what the client sent, unchecked
   * @throws MatrixError M_MISSING_PARAM, M_INVALID_PARAM, M_UNKNOWN for a neighbour that is not there.
   */
  add(userNid: number, { kind, ruleId }: RuleName, body: PushRuleBody, place: RulePlace): Promise<void> {
    return this.#change(userNid, (stored) => addRule(stored, parseRuleKind(kind), ruleId, body, place));
  }

  /** @throws MatrixError M_NOT_FOUND, M_INVALID_PARAM. */
  delete(userNid: number, { kind, ruleId }: RuleName): Promise<void> {
    return this.#change(userNid, (stored) => deleteRule(stored, parseRuleKind(kind), ruleId));
  }

  /** @throws MatrixError M_NOT_FOUND, M_INVALID_PARAM. */
  setEnabled(userNid: number, { kind, ruleId }: RuleName, enabled: boolean): Promise<void> {
    return this.#change(userNid, (stored) =>
      setEnabled(stored, this.#defaults, parseRuleKind(kind), ruleId, enabled),
    );
  }

  /**
   * @param actions what the client sent, unchecked
   * @throws MatrixError M_NOT_FOUND, M_INVALID_PARAM.
   */
  setActions(userNid: number, { kind, ruleId }: RuleName, actions: unknown): Promise<void> {
    return this.#change(userNid, (stored) =>
      setActions(stored, this.#defaults, parseRuleKind(kind), ruleId, actions),
    );
  }

  /** To be called when the user's data have been removed elsewhere. */
  forget(userNid: number): void {
    this.#cache.forget(userNid);
  }

  #contentOf({ userId }: LocalUser, found: StoredRuleset | undefined): string {
    return JSON.stringify({ global: rulesToWire(parsed(found), this.#defaults, userId) });
  }

  async #load(userNid: number): Promise<UserRules> {
    const found = await this.#store.find(userNid);
    const stored = parsed(found);
    return { stored, position: found?.position ?? null, compiled: this.#compiler.compile(stored) };
  }

  async #change(userNid: number, edit: (stored: StoredPushRules) => StoredPushRules): Promise<void> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const { stored, position } = await this.#cache.get(userNid);
      const changed = translated(() => edit(stored));
      const replaced = await this.#store.replace(userNid, position, JSON.stringify(changed));
      this.#cache.forget(userNid);
      if (replaced) return;
    }
    throw new MatrixError("M_CONFLICT", "Your push rules keep changing from elsewhere: try again");
  }
}

function parsed(found: StoredRuleset | undefined): StoredPushRules {
  return found ? (JSON.parse(found.rules) as StoredPushRules) : untouchedPushRules;
}

const errcodes: Readonly<Record<PushRuleError["reason"], Errcode>> = {
  "unknown-rule": "M_NOT_FOUND",
  "unknown-neighbour": "M_UNKNOWN",
  "missing-parameter": "M_MISSING_PARAM",
  "invalid-parameter": "M_INVALID_PARAM",
  "too-large": "M_INVALID_PARAM",
};

/** Runs what may throw a PushRuleError, and throws it as a MatrixError. */
function translated<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (error instanceof PushRuleError) throw new MatrixError(errcodes[error.reason], error.message);
    throw error;
  }
}
