import * as fc from "fast-check";
import { authStateOf } from "../../auth/auth-state.ts";
import { authorise } from "../../auth/authorise.ts";
import { type Draft, user } from "../../auth/testing/test-event.ts";
import type { RoomEvent } from "../../pdu.ts";
import type { RoomVersion } from "../../room-versions.ts";
import type { StateMap } from "../types.ts";
import { baseRoom } from "./base-room.ts";
import type { TestBranch, TestDag } from "./test-dag.ts";

/** One thing that happens: somebody tries to do something on a branch, or two branches meet. */
interface Step {
  readonly kind: "member" | "levels" | "join rule" | "topic" | "fork" | "merge";
  readonly branch: number;
  readonly other: number;
  readonly actor: string;
  readonly target: string;
  readonly choice: number;
  readonly ts: number;
}

const people = fc.constantFrom("alice", "bob", "charlie", "dora");
const memberships = ["join", "leave", "ban", "invite", "knock"];
const joinRules = ["public", "invite", "knock", "restricted"];

const steps: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("member", "member", "levels", "levels", "join rule", "topic", "fork", "merge"),
  branch: fc.nat(20),
  other: fc.nat(20),
  actor: people,
  target: people,
  choice: fc.nat(60),
  ts: fc.nat(20),
});

/** What happens in a room, as a list of things to try. */
export const histories: fc.Arbitrary<readonly Step[]> = fc.array(steps, { minLength: 5, maxLength: 30 });

/** Lets a history happen: whatever the rules allow on a branch is sent there. Gives the branches, at least two. */
export function play(version: RoomVersion, history: readonly Step[]): readonly TestBranch[] {
  const root = baseRoom(version);
  const branches = [root, root.fork()];
  for (const step of history) {
    const branch = branches[step.branch % branches.length] ?? root;
    const other = branches[step.other % branches.length] ?? root;
    if (step.kind === "fork") branches.push(branch.fork());
    else if (step.kind === "merge") branches.push(branch.dag.merge(branch, other));
    else attempt(branch, draftOf(version, branch, step));
  }
  return branches;
}

function attempt(branch: TestBranch, draft: Draft): void {
  const trial = branch.preview(draft);
  if (authorise(branch.dag.version, trial, authStateOf(eventsOf(branch.dag, branch.state))) === undefined) {
    branch.sendEvent(trial);
  }
}

/** The events of a state. */
export function eventsOf(dag: TestDag, state: StateMap): RoomEvent[] {
  return Array.from(state.values(), (nid) => dag.event(nid).roomEvent);
}

function draftOf(version: RoomVersion, branch: TestBranch, step: Step): Draft {
  const { actor: sender, target, choice, ts } = step;
  const common = { sender, ts, depth: branch.tips.length + ts };
  switch (step.kind) {
    case "member": {
      const membership = memberships[choice % memberships.length] ?? "leave";
      return { ...common, type: "m.room.member", key: user(target), content: { membership } };
    }
    case "join rule": {
      const joinRule = joinRules[choice % joinRules.length] ?? "public";
      return { ...common, type: "m.room.join_rules", key: "", content: { join_rule: joinRule } };
    }
    case "levels": {
      const current = branch.dag.pair("m.room.power_levels", "");
      const nid = current === undefined ? undefined : branch.state.get(current);
      const before = nid === undefined ? {} : branch.dag.event(nid).roomEvent.content["users"];
      const listed = version.privilegedCreators && target === "alice" ? {} : { [user(target)]: choice };
      const users = { ...Object.fromEntries(Object.entries(before ?? {})), ...listed };
      return { ...common, type: "m.room.power_levels", key: "", content: { users } };
    }
    default:
      return { ...common, type: "m.room.topic", key: "", content: { topic: String(choice) } };
  }
}
