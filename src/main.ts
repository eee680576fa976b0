#!/usr/bin/env node
// Before anything that an older Node.js cannot load.
if (Number.parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(`hearth: Node.js 24 or newer is needed, and this is ${process.versions.node}.\n`);
  process.exit(1);
}
// Threads that wait for the disk: with the usual four, uploads wait for each other's flushes, which a file system joins when
// they come together. Whoever computes on them has bounds of its own. It is read when the first of them begins.
process.env["UV_THREADPOOL_SIZE"] ??= "16";
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
