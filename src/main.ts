#!/usr/bin/env node
import { run } from "./cli/run.ts";

const code = await run(process.argv.slice(2), {
  input: process.stdin,
  output: process.stdout,
  errors: process.stderr,
  environment: process.env,
  signals: process,
});
// What was written to a pipe may still be on its way.
for (const stream of [process.stdout, process.stderr]) {
  await new Promise<void>((resolve) => {
    stream.write("", () => resolve());
  });
}
process.exit(code);
