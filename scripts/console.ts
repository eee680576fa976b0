// Builds the console (src/console) for browsers: one page, and files whose names have a hash of what is in them, each packed
// in advance as browsers take it.
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { build, type Metafile } from "esbuild";
import { licencesOf } from "./licences.ts";
import { placeFolder } from "./placed-folder.ts";

const root = join(import.meta.dirname, "..");
const source = "src/console/main.tsx";
const icon = "src/console/icon.svg";
const assetPath = "/_hearth/console/v1/assets/";

/** @param folder the folder to make: index.html, assets/ and licenses.txt. One that is there stays what it is */
export async function buildConsole(folder: string): Promise<void> {
  await placeFolder(folder, async (made) => {
    const assets = join(made, "assets");
    mkdirSync(assets);
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: [source, icon],
      loader: { ".svg": "copy" },
      outdir: assets,
      entryNames: "[name]-[hash]",
      chunkNames: "[name]-[hash]",
      assetNames: "[name]-[hash]",
      bundle: true,
      splitting: true,
      platform: "browser",
      format: "esm",
      target: "es2022",
      tsconfigRaw: { compilerOptions: { jsx: "react-jsx", verbatimModuleSyntax: true } },
      define: { "process.env.NODE_ENV": '"production"' },
      minify: true,
      legalComments: "none",
      metafile: true,
      logLevel: "warning",
    });
    writeFileSync(join(made, "licenses.txt"), licencesOf(root, metafile));
    writeFileSync(join(made, "index.html"), pageOf(metafile));
    await pack(assets);
  });
}

function pageOf({ outputs }: Metafile): string {
  const made = Object.entries(outputs);
  const [script, { cssBundle = "" } = {}] = made.find(([, { entryPoint }]) => entryPoint === source) ?? [];
  const [picture] = made.find(([, { inputs }]) => icon in inputs) ?? [];
  const files = { script, style: cssBundle, icon: picture };
  return Object.entries(files).reduce(
    (page, [name, file]) => {
      if (!file) throw new Error(`${source} has been built without its ${name}`);
      return page.replace(`{${name}}`, assetPath + basename(file));
    },
    readFileSync(join(root, "src/console/index.html"), "utf8"),
  );
}

/** Browsers take Brotli where the connection is secure, and gzip elsewhere. */
async function pack(folder: string): Promise<void> {
  const params = { [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT };
  const files = globSync("*", { cwd: folder }).map((file) => join(folder, file));
  await Promise.all(
    files.map(async (file) => {
      const content = readFileSync(file);
      writeFileSync(`${file}.br`, await promisify(brotliCompress)(content, { params }));
      writeFileSync(`${file}.gz`, await promisify(gzip)(content, { level: constants.Z_BEST_COMPRESSION }));
    }),
  );
}
