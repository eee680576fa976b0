import { hash } from "node:crypto";
import { Reply } from "../reply.ts";

export interface PageParts {
  readonly title: string;
  /** HTML inside `main`; nothing of a request may be in it. */
  readonly main: string;
  readonly script: string;
  /** English unless said otherwise. */
  readonly language?: string;
}

const style = `
:root { color-scheme: light dark; font-family: system-ui, sans-serif; }
main { max-width: 22rem; margin: 15vh auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; }
label { display: block; margin: 1rem 0; }
input { display: block; box-sizing: border-box; width: 100%; margin-top: .3rem; padding: .5rem; font: inherit; }
[type=checkbox] { display: inline; width: auto; margin: 0 .4rem 0 0; }
button { padding: .5rem 1rem; font: inherit; }
[role=alert] { min-height: 1.5em; }
`;

/** A page of its own: it loads nothing, and runs and shows nothing but what is in it. */
export function page({ title, main, script, language = "en" }: PageParts): Reply {
  const html = `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${main}
</main>
<script>${script}</script>
</body>
</html>
`;
  return new Reply(200, html, {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": [
      "default-src 'none'",
      `style-src ${sourceHash(style)}`,
      `script-src ${sourceHash(script)}`,
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join("; "),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
  });
}

function sourceHash(source: string): string {
  return `'sha256-${hash("sha256", source, "base64")}'`;
}
