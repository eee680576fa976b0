#!/usr/bin/env node
// Before anything that an older Node.js cannot load.
if (Number.parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(`hearth: Node.js 24 or newer is needed, and this is ${process.versions.node}.\n`);
  process.exit(1);
}
const { run } = await import("./cli/run.ts");

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
