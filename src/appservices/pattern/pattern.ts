import { type CharacterSet, contains } from "./character-set.ts";
import { parsePattern, PatternError, type PatternNode } from "./syntax.ts";

/** One step of a program that follows a text from character to character. */
type Step =
  | { readonly op: "character"; readonly set: CharacterSet }
  /** Goes on at both places. */
  | { readonly op: "fork"; readonly first: number; second: number }
  | { readonly op: "jump"; to: number }
  | { readonly op: "start" | "end" | "match" }
  | { readonly op: "lookahead"; readonly program: Program; readonly isNegated: boolean };

type Program = readonly Step[];

/** Every character of a text may cost so many steps. */
const maxSteps = 2_000;
const maxSourceLength = 1_000;

/**
 * A regular expression of an application service's namespace. It is followed in all its ways at once, so that the time for
 * a text grows with its length and no faster, whatever the expression: users choose the texts.
 */
export class Pattern {
  readonly #program: Program;
  readonly #prefix: string;

  /** @throws PatternError */
  constructor(source: string) {
    if (source.length > maxSourceLength)
      throw new PatternError(`it has more than ${maxSourceLength} characters`);
    const node = parsePattern(source);
    this.#program = compile(node);
    this.#prefix = literalPrefix(node);
  }

  /** Whether a text begins with what the expression describes, as with Python's `re.match`. */
  matches(text: string): boolean {
    if (!text.startsWith(this.#prefix)) return false;
    return run(this.#program, Array.from(text, codePointOf), 0);
  }
}

function codePointOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}

/** What every matching text begins with: most texts are told apart by it. */
function literalPrefix(node: PatternNode): string {
  if (node.kind !== "sequence") return "";
  let prefix = "";
  for (const part of node.parts) {
    if (part.kind === "start" && prefix === "") continue;
    const [range, ...others] = part.kind === "character" && !part.set.isNegated ? part.set.ranges : [];
    if (!range || others.length > 0 || range[0] !== range[1]) break;
    prefix += String.fromCodePoint(range[0]);
  }
  return prefix;
}

function compile(node: PatternNode): Program {
  const steps: Step[] = [];
  emit(steps, node);
  push(steps, { op: "match" });
  return steps;
}

function push<S extends Step>(steps: Step[], step: S): S {
  if (steps.length >= maxSteps) throw new PatternError("it is too large with all its repetitions");
  steps.push(step);
  return step;
}

function emit(steps: Step[], node: PatternNode): void {
  switch (node.kind) {
    case "character":
      push(steps, { op: "character", set: node.set });
      return;
    case "sequence":
      for (const part of node.parts) emit(steps, part);
      return;
    case "choice":
      emitChoice(steps, node.branches);
      return;
    case "repeat":
      emitRepeat(steps, node.part, node.min, node.max);
      return;
    case "lookahead":
      push(steps, { op: "lookahead", program: compile(node.part), isNegated: node.isNegated });
      return;
    default:
      push(steps, { op: node.kind });
  }
}

function emitChoice(steps: Step[], branches: readonly PatternNode[]): void {
  const ends: { to: number }[] = [];
  for (const [index, branch] of branches.entries()) {
    if (index === branches.length - 1) {
      emit(steps, branch);
      continue;
    }
    const fork = push(steps, { op: "fork", first: steps.length + 1, second: 0 });
    emit(steps, branch);
    ends.push(push(steps, { op: "jump", to: 0 }));
    fork.second = steps.length;
  }
  for (const end of ends) end.to = steps.length;
}

function emitRepeat(steps: Step[], part: PatternNode, min: number, max: number): void {
  for (let count = 0; count < min; count++) emit(steps, part);
  if (max === Number.POSITIVE_INFINITY) {
    const loop = steps.length;
    const fork = push(steps, { op: "fork", first: loop + 1, second: 0 });
    emit(steps, part);
    push(steps, { op: "jump", to: loop });
    fork.second = steps.length;
    return;
  }
  const forks: { second: number }[] = [];
  for (let count = min; count < max; count++) {
    forks.push(push(steps, { op: "fork", first: steps.length + 1, second: 0 }));
    emit(steps, part);
  }
  for (const fork of forks) fork.second = steps.length;
}

/** Whether the program comes to its end on what a text has from some place on. */
function run(program: Program, text: readonly number[], from: number): boolean {
  let places = new Set<number>();
  if (enter(program, text, from, 0, places)) return true;
  for (let at = from; at < text.length && places.size > 0; at++) {
    const next = new Set<number>();
    for (const place of places) {
      const step = program[place];
      if (step?.op !== "character" || !contains(step.set, text[at] ?? 0)) continue;
      if (enter(program, text, at + 1, place + 1, next)) return true;
    }
    places = next;
  }
  return false;
}

/** Adds every place that is reached without another character. True when the program's end is. */
function enter(
  program: Program,
  text: readonly number[],
  at: number,
  place: number,
  places: Set<number>,
): boolean {
  const waiting = [place];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const step = program[next];
    if (!step || places.has(next)) continue;
    places.add(next);
    if (step.op === "match") return true;
    if (step.op === "fork") waiting.push(step.second, step.first);
    else if (step.op === "jump") waiting.push(step.to);
    else if (step.op !== "character" && holds(step, text, at)) waiting.push(next + 1);
  }
  return false;
}

function holds(
  step: Exclude<Step, { op: "character" | "fork" | "jump" }>,
  text: readonly number[],
  at: number,
): boolean {
  if (step.op === "lookahead") return run(step.program, text, at) !== step.isNegated;
  return step.op === "start" ? at === 0 : at === text.length;
}
