import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const library = fileURLToPath(import.meta.resolve("hydrogen-view-sdk"));
const packageFolder = join(dirname(library), "..");
/** Finds what Hydrogen itself depends on, in the versions that it asks for. */
const hydrogenRequire = createRequire(library);
const olmFolder = dirname(hydrogenRequire.resolve("@matrix-org/olm"));

const contentTypes: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
};

/** Folders that are served as they are, by the first part of the path. */
const folders: Readonly<Record<string, string>> = {
  assets: join(packageFolder, "asset-build/assets"),
  lib: dirname(library),
  olm: olmFolder,
};

/** What Hydrogen imports by name: packages made for bundlers, which `asModule` makes importable. */
const dependencies: Readonly<Record<string, string>> = {
  "another-json": hydrogenRequire.resolve("another-json"),
  "base64-arraybuffer": hydrogenRequire.resolve("base64-arraybuffer"),
  dompurify: hydrogenRequire.resolve("dompurify"),
  "off-color": hydrogenRequire.resolve("off-color/umd/index.js"),
};

/** A website with Hydrogen, the web client, as an organisation would put it up for its own homeserver. */
export class HydrogenSite implements AsyncDisposable {
  readonly url: string;
  readonly #close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  /** @param homeserver base URL of the homeserver that its login page suggests */
  static async start(homeserver: string): Promise<HydrogenSite> {
    const server = createServer(({ url = "/" }, response) => {
      answer(response, new URL(url, "http://site").pathname, homeserver);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the website has no port");
    return new HydrogenSite(`http://127.0.0.1:${address.port}/`, async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

function answer(response: ServerResponse, path: string, homeserver: string): void {
  const [, first = "", ...rest] = path.split("/");
  if (first === "" || first === "index.html") return send(response, ".html", page(homeserver));
  // Its scope is the folder that it comes from.
  if (first === "sw.js") return send(response, ".js", readFileSync(join(packageFolder, "lib-build/sw.js")));
  const dependency = first === "modules" ? dependencies[rest.join("/")] : undefined;
  if (dependency !== undefined) return send(response, ".js", asModule(readFileSync(dependency, "utf8")));
  const folder = folders[first];
  const file = folder === undefined ? undefined : contentOf(folder, rest.join(sep));
  if (file) return send(response, extname(path), file);
  response.writeHead(404).end();
}

function contentOf(folder: string, name: string): Buffer | undefined {
  try {
    return readFileSync(join(folder, name));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function send(response: ServerResponse, extension: string, body: string | Buffer): void {
  response.writeHead(200, { "Content-Type": contentTypes[extension] ?? "application/octet-stream" });
  response.end(body);
}

/** Makes a CommonJS file without imports a module of the browser's. */
function asModule(source: string): string {
  return `const module = { exports: {} }; const { exports } = module;\n${source}\nexport default module.exports;\n`;
}

/** What starts Hydrogen. The worker that adds access tokens to requests for media has to be there first. */
function page(homeserver: string): string {
  const names = Object.keys(dependencies);
  const imports = Object.fromEntries(names.map((name) => [name, `/modules/${name}`]));
  // Hydrogen loads Olm by a script element.
  const importMap = JSON.stringify({
    imports: { ...imports, "@matrix-org/olm/olm.js": "data:text/javascript," },
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Hydrogen</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/theme-element-light.css">
<script type="importmap">${importMap}</script>
<body class="hydrogen">
<script type="module">
import { FeatureSet, Platform, RootViewModel, createNavigation, createRouter } from "/lib/hydrogen.es.js";
const assetPaths = {
  downloadSandbox: "/assets/download-sandbox.html",
  worker: "/assets/main.js",
  olm: { wasm: "/olm/olm.wasm", wasmBundle: "/olm/olm.js", legacyBundle: "/olm/olm_legacy.js" },
  serviceWorker: "/sw.js",
};
const config = { defaultHomeServer: ${JSON.stringify(homeserver)} };
const platform = new Platform({ container: document.body, assetPaths, config });
while (!navigator.serviceWorker.controller) await new Promise((resolve) => setTimeout(resolve, 20));
const navigation = createNavigation();
platform.setNavigation(navigation);
await platform.init();
const urlRouter = createRouter({ navigation, history: platform.history });
urlRouter.attach();
const features = await FeatureSet.load(platform.settingsStorage);
const root = new RootViewModel({ platform, navigation, urlRouter, features });
platform.createAndMountRootView(root);
await root.load();
</script>
`;
}
