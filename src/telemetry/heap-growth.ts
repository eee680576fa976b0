import { setFlagsFromString } from "node:v8";

/** In percent of what lives in a heap. */
const boundedGrowth = 50;
/** V8 decides. */
const usualGrowth = 0;

let uses = 0;

/**
 * Has garbage collected whenever a heap has grown by half of what lives in it, on all threads, until it is disposed of.
 * V8 would let it grow up to fourfold, which costs less time: this is for work that makes much garbage, is rare and is not
 * in a hurry, such as joining a large room.
 */
export function boundHeapGrowth(): Disposable {
  uses += 1;
  setGrowth(boundedGrowth);
  return {
    [Symbol.dispose]() {
      uses -= 1;
      if (uses === 0) setGrowth(usualGrowth);
    },
  };
}

function setGrowth(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}
