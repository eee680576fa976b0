// Packs the server and the packages that it uses into few files, dist-*/*.js: a start that reads 2,000 modules one by one
// takes twice the time and a quarter more memory.
import {
  chmodSync,
  existsSync,
  globSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { build, type Plugin } from "esbuild";
import { licencesOf } from "./licences.ts";
import { placeFolder } from "./placed-folder.ts";

const root = join(import.meta.dirname, "..");

/** These bring machine code, which lies beside their modules. */
const native = ["better-sqlite3", "@node-rs/argon2", "sharp"];

/** Packages that are not written as ES modules ask for Node's own modules by `require`. */
const banner = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/**
 * Who imports these of Node's own modules as ES modules gets all that they offer at once, and so loads WebSocket, fetch
 * and more that nobody uses here. Asked for like this they load what is used.
 */
const leanBuiltins: Plugin = {
  name: "lean-builtins",
  setup(building) {
    building.onResolve({ filter: /^(node:)?(fs|http|util)$/ }, ({ path }) => ({
      path: path.replace(/^node:/, ""),
      namespace: "lean",
    }));
    building.onLoad({ filter: /./, namespace: "lean" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule("node:${path}");`,
    }));
  },
};

/** Koa's packages and the log's ask for these at once, and use them only where something has gone wrong. */
const lateBuiltins: Plugin = {
  name: "late-builtins",
  setup(building) {
    building.onResolve({ filter: /^(node:)?(assert|zlib)$/ }, ({ path, kind }) => {
      if (kind !== "require-call") return undefined;
      return { path: path.replace(/^node:/, ""), namespace: "late" };
    });
    building.onLoad({ filter: /./, namespace: "late" }, ({ path }) => ({
      contents: `const load = () => process.getBuiltinModule("node:${path}");
        module.exports = new Proxy(() => {}, {
          get: (_, name) => load()[name],
          apply: (_, self, words) => load()(...words),
        });`,
    }));
  },
};

/**
 * Koa's packages bring two versions of the table of media types, of 200 KiB each: the newer one serves both. Of most types
 * it knows neither an extension nor a character set, which is all that is looked up.
 */
const smallMediaTypeTable: Plugin = {
  name: "small-media-type-table",
  setup(building) {
    building.onResolve({ filter: /^mime-db$/ }, () => ({ path: join(root, "node_modules/mime-db/db.json") }));
    building.onLoad({ filter: /mime-db\/db\.json$/ }, ({ path }) => {
      const table = JSON.parse(readFileSync(path, "utf8")) as Record<string, object>;
      const kept = Object.entries(table).filter(([, type]) => "extensions" in type || "charset" in type);
      return { contents: JSON.stringify(Object.fromEntries(kept)), loader: "json" };
    });
  },
};

/** The newest are kept: servers may run from them, and a killed start may have left one that is half made. */
const keptBundles = 10;

/**
 * Makes the bundle, unless it is there. It is put in place whole, so that a start beside this one never sees half of it, and
 * never changed again: a server that runs from it starts worker threads and loads modules whenever it needs them.
 *
 * @param dist the folder to make, which has package.json and older bundles beside it
 */
export async function bundle(dist: string): Promise<void> {
  if (existsSync(dist)) return;
  removeOld(dirname(dist));
  await placeFolder(dist, async (made) => {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: entryPoints(),
      outdir: made,
      bundle: true,
      splitting: true,
      platform: "node",
      format: "esm",
      target: "node24",
      external: native,
      plugins: [leanBuiltins, lateBuiltins, smallMediaTypeTable],
      // The text of the program stays in memory. Names are kept, and lines short, so that stack traces can be read.
      minifyWhitespace: true,
      minifySyntax: true,
      lineLimit: 120,
      banner: { js: banner },
      legalComments: "none",
      metafile: true,
      logLevel: "warning",
    });
    writeFileSync(join(made, "licenses.txt"), licencesOf(root, metafile));
    // npm makes a package's programs executable when it installs them; this is for those who run the package as it is.
    chmodSync(join(made, "main.js"), 0o755);
  });
}

function removeOld(folder: string): void {
  const bundles = readdirSync(folder)
    .filter((name) => name.startsWith("dist-"))
    .map((name) => join(folder, name))
    .map((path) => ({ path, madeAtMs: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }));
  const newestFirst = bundles.toSorted((a, b) => b.madeAtMs - a.madeAtMs);
  // Without the one that is about to be made.
  for (const { path } of newestFirst.slice(keptBundles - 1)) rmSync(path, { recursive: true, force: true });
}

/** All stand beside each other, where worker threads are looked for (src/threads/worker-script.ts). */
function entryPoints(): Record<string, string> {
  const workers = globSync("src/**/*-worker.ts", { cwd: root }).map((file) => [basename(file, ".ts"), file]);
  return {
    main: "src/main.ts",
    server: "src/server.ts",
    protocol: "src/protocol/index.ts",
    ...Object.fromEntries(workers),
  };
}
