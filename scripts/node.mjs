// Runs a program of this repository with the Node.js that its packages bring: `node scripts/node.mjs src/main.ts start`.
//
// npm puts that Node.js in front of the machine's own, as node_modules/.bin/node, so that there is nothing to do here. But
// npm 10 takes it away again: the packages of other platforms, which it leaves out, have a program of that name too. Then
// the machine's Node.js reads this, from version 20 on, so this is JavaScript; it puts the link back and starts anew.
import { spawn } from "node:child_process";
import { existsSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const neededVersion = 24;
const root = resolve(import.meta.dirname, "..");
const bin = join(root, "node_modules/.bin");

const [program = "", ...words] = process.argv.slice(2);
const file = resolve(root, program);

if (Number.parseInt(process.versions.node, 10) >= neededVersion) {
  process.argv = [process.execPath, file, ...words];
  await import("./compile-cache.mjs");
  await import(pathToFileURL(file).href);
} else {
  const node = packagedNode();
  if (node === undefined) {
    const machine = `${process.platform} on ${process.arch}`;
    process.stderr.write(
      `Node.js ${neededVersion} or newer is needed, and this is ${process.versions.node}: install it, or run ` +
        `\`npm ci\` first. (There is no packaged Node.js for ${machine} in node_modules.)\n`,
    );
    process.exit(1);
  }
  putInFront(node);
  runWith(node);
}

/** The Node.js among the installed packages, if they have one for this platform. */
function packagedNode() {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const name = process.platform === "win32" ? "node.exe" : "node";
  return [`node-${platform}-${process.arch}`, `node-bin-${platform}-${process.arch}`]
    .map((folder) => join(root, "node_modules", folder, "bin", name))
    .find((path) => existsSync(path));
}

/**
 * Makes the packaged Node.js the one that npm's scripts find first.
 * @param {string} node
 */
function putInFront(node) {
  if (process.platform === "win32") {
    writeFileSync(join(bin, "node.cmd"), `@"%~dp0\\${relative(bin, node)}" %*\r\n`);
    return;
  }
  const link = join(bin, "node");
  rmSync(link, { force: true });
  symlinkSync(relative(bin, node), link);
}

/**
 * Hands over to the packaged Node.js: its options, its signals, its output and how it ends are this process's own.
 * @param {string} node
 */
function runWith(node) {
  const child = spawn(node, [...process.execArgv, file, ...words], { stdio: "inherit" });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
    process.on(signal, () => child.kill(signal));
  }
  child.once("exit", (code, signal) => process.exit(code ?? (signal ? 128 + constants.signals[signal] : 1)));
}
