import { readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { getConsoleAsset, showConsole } from "../../api/pages/console.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { RandomBytes } from "../../telemetry/random.ts";
import { matchesEntityTag } from "../entity-tag.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { Reply } from "../reply.ts";

/** Where the console has been put when it was built: beside the modules of the package, or in the package's folder. */
const folder = fileURLToPath(
  new URL(import.meta.filename.endsWith(".ts") ? "../../../dist/console" : "./console", import.meta.url),
);

const types: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
};

/** Best first; each file lies there in all of them. */
const encodings = [
  { name: "br", suffix: ".br" },
  { name: "gzip", suffix: ".gz" },
] as const;

/** No file of the console is as large: what is read of it at once is bounded. */
const maxAssetBytes = 4 * 1024 * 1024;
const nonceBytes = 16;
const ownHeaders = { "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff" };

/** The console's page and its files, read from disk whenever they are asked for. */
export function consoleHandlers(randomBytes: RandomBytes): BoundEndpoint[] {
  return [
    handler(showConsole, async () => {
      const page = await contentOf(join(folder, "index.html"));
      if (page === undefined) return notBuilt();
      const nonce = randomBytes(nonceBytes).toString("base64");
      return pageReply(200, page.toString("utf8").replaceAll("{nonce}", nonce), nonce);
    }),
    handler(getConsoleAsset, async ({ params: { file }, context }) => {
      const type = types[extname(file)];
      if (type === undefined || !/^[\w-]+\.\w+$/.test(file)) throw noSuchFile();
      const { "accept-encoding": accepted = "", "if-none-match": known } = context.incoming.headers;
      const encoding = encodings.find(({ name }) => accepts(accepted, name));
      const headers = {
        ...ownHeaders,
        ETag: `"${file}${encoding?.suffix ?? ""}"`,
        Vary: "Accept-Encoding",
        "Cache-Control": "public, max-age=31536000, immutable",
        "Cross-Origin-Resource-Policy": "same-origin",
      };
      if (matchesEntityTag(known, headers.ETag)) return new Reply(304, undefined, headers);
      const content = await contentOf(join(folder, "assets", file + (encoding?.suffix ?? "")));
      if (content === undefined) throw noSuchFile();
      const encoded = encoding && { "Content-Encoding": encoding.name };
      return new Reply(200, content, { ...headers, ...encoded, "Content-Type": type });
    }),
  ];
}

/** It is built beside the first start of a checkout, for which nobody has to wait. */
function notBuilt(): Reply {
  const page =
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="2"><title>Hearth</title>' +
    "<p>The console is being built; this page looks again in a moment. (Where it was not started by <code>npm start</code>, " +
    "<code>npm run build</code> builds it.)</p></html>";
  const { status, body, headers } = pageReply(503, page, "");
  return new Reply(status, body, { ...headers, "Retry-After": "2" });
}

function pageReply(status: number, page: string, nonce: string): Reply {
  return new Reply(status, page, {
    ...ownHeaders,
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": [
      "default-src 'none'",
      "script-src 'self'",
      // The components make style sheets of their own as they are shown.
      nonce === "" ? "style-src 'self'" : `style-src 'self' 'nonce-${nonce}'`,
      // blob: pictures that are fetched with the access token.
      "img-src 'self' blob:",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join("; "),
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    // It has a nonce that counts once.
    "Cache-Control": "no-store",
  });
}

function accepts(accepted: string, encoding: string): boolean {
  return accepted
    .split(",")
    .some((entry) => new RegExp(`^ *${encoding} *(; *q=(?!0(\\.0*)? *$).*)?$`).test(entry));
}

async function contentOf(path: string): Promise<Buffer | undefined> {
  try {
    const { size } = await stat(path);
    return size <= maxAssetBytes ? await readFile(path) : undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function noSuchFile(): MatrixError {
  return new MatrixError("M_NOT_FOUND", "The console has no such file: load its page anew");
}
