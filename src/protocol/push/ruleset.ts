import type { PushOutcome } from "./actions.ts";
import type { CompiledCondition, PushUser, UserTest } from "./conditions.ts";
import type { EventForPush } from "./event.ts";

/** A rule made ready: all its conditions must hold. */
export interface CompiledRule {
  readonly conditions: readonly CompiledCondition[];
  readonly outcome: PushOutcome;
  /** The case-folded ID of the one room in which the rule can match, or `undefined` when it is for all. */
  readonly foldedRoomId: string | undefined;
}

const noTests: readonly UserTest[] = [];

/** A rule that an event satisfies as far as the event goes: the tests decide for each user. */
interface Candidate {
  readonly tests: readonly UserTest[];
  readonly outcome: PushOutcome;
}

const noCandidates: readonly Candidate[] = [];

/** Rules that are checked together: those that may decide about an event, of which the first that a user passes does. */
export type RuleBlock = (event: EventForPush) => readonly Candidate[];

/** The enabled rules of a user, or of all users who never changed a rule, ready for evaluation. It can be shared. */
export class CompiledRuleset {
  readonly #blocks: readonly RuleBlock[];

  /** @param blocks the rules in the order in which they are checked */
  constructor(blocks: readonly RuleBlock[]) {
    this.#blocks = blocks;
  }

  /**
   * Finds the rule that decides about an event for a user. Specification: "Push Rules".
   *
   * @returns what the rule says, or `undefined` when no rule matches or the event is the user's own: the user is not
   *   notified then
   */
  evaluate(event: EventForPush, user: PushUser): PushOutcome | undefined {
    if (event.sender === user.userId) return undefined;
    for (const block of this.#blocks) {
      const outcome = decide(block(event), user);
      if (outcome !== undefined) return outcome;
    }
    return undefined;
  }

  /** Whether these rules notify nobody of an event, whoever has them. */
  notifiesNobody(event: EventForPush): boolean {
    for (const block of this.#blocks) {
      for (const { tests, outcome } of block(event)) {
        if (outcome.notify) return false;
        if (tests.length === 0) return true;
      }
    }
    return true;
  }
}

/** Rules in the order of importance. */
export function listBlock(rules: readonly CompiledRule[]): RuleBlock {
  // Clients mute a room by an override rule on its ID: a user can have hundreds, and no other room need look at them.
  const forAllRooms = rules.filter(({ foldedRoomId }) => foldedRoomId === undefined);
  const namedRooms = new Set(rules.map(({ foldedRoomId }) => foldedRoomId));
  return (event) => candidatesOf(namedRooms.has(event.foldedRoomId) ? rules : forAllRooms, event);
}

/** Rules that many users have in common: what an event alone settles is worked out once for all of them. */
export function sharedBlock(rules: readonly CompiledRule[]): RuleBlock {
  return remembered((event) => candidatesOf(rules, event));
}

/** The same of blocks that follow on each other. */
export function sharedBlocks(blocks: readonly RuleBlock[]): RuleBlock {
  return remembered((event) => {
    const candidates = blocks.flatMap((block) => block(event));
    const last = candidates.findIndex(({ tests }) => tests.length === 0);
    return last === -1 ? candidates : candidates.slice(0, last + 1);
  });
}

function remembered(block: RuleBlock): RuleBlock {
  const known = new WeakMap<EventForPush, readonly Candidate[]>();
  return (event) => {
    const settled = known.get(event);
    if (settled) return settled;
    const candidates = block(event);
    known.set(event, candidates);
    return candidates;
  };
}

/** Rules for one room or one sender each, by its ID: they cost the same however many there are. */
export function lookupBlock(
  property: "roomId" | "sender",
  outcomes: ReadonlyMap<string, PushOutcome>,
): RuleBlock {
  const candidates = new Map([...outcomes].map(([id, outcome]) => [id, [{ tests: noTests, outcome }]]));
  return (event) => candidates.get(event[property]) ?? noCandidates;
}

function candidatesOf(rules: readonly CompiledRule[], event: EventForPush): readonly Candidate[] {
  const candidates: Candidate[] = [];
  for (const { conditions, outcome } of rules) {
    const tests = testsFor(conditions, event);
    if (tests === undefined) continue;
    candidates.push({ tests, outcome });
    // A rule that matches for everybody hides those after it.
    if (tests.length === 0) break;
  }
  return candidates;
}

/** The tests that conditions leave for the user, or `undefined` when the event fails one of them. */
function testsFor(
  conditions: readonly CompiledCondition[],
  event: EventForPush,
): readonly UserTest[] | undefined {
  let tests = noTests;
  for (const condition of conditions) {
    const verdict = condition(event);
    if (verdict === false) return undefined;
    if (verdict !== true) tests = [...tests, verdict];
  }
  return tests;
}

function decide(candidates: readonly Candidate[], user: PushUser): PushOutcome | undefined {
  for (const { tests, outcome } of candidates) {
    if (passes(tests, user)) return outcome;
  }
  return undefined;
}

function passes(tests: readonly UserTest[], user: PushUser): boolean {
  for (const test of tests) {
    if (!test(user)) return false;
  }
  return true;
}
