import { hash } from "node:crypto";
import { Reply } from "../reply.ts";
import { Html, html } from "./html.ts";
import { type Language, textsOf } from "./texts/texts.ts";

/** How an organisation wants its pages to look. */
export interface Look {
  readonly organisation: string;
  /** `#rrggbb` */
  readonly accentColour: string;
  /** Where the logo can be fetched, on this server. */
  readonly logoPath: string | undefined;
}

export interface PageContent {
  readonly language: Language;
  readonly title: string;
  readonly main: Html;
  readonly status?: number;
  /** Where the forms of the page may lead in the end, beside this server: origins, or schemes with their colon. */
  readonly formTargets?: readonly string[];
  /** For pages that a client has opened: what it has to be told when the page is shown. */
  readonly script?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

/** Makes the pages on which people sign in and look after their accounts: HTML that works without JavaScript. */
export class BrowserPages {
  readonly #look: Look;
  readonly #style: string;

  constructor(look: Look) {
    this.#look = look;
    this.#style = styleFor(look);
  }

  page(content: PageContent): Reply {
    const { status = 200, formTargets = [], script, headers } = content;
    return new Reply(status, this.#document(content).text, {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": [
        "default-src 'none'",
        `style-src ${sourceHash(this.#style)}`,
        ...(script === undefined ? [] : [`script-src ${sourceHash(script)}`]),
        "img-src 'self'",
        "base-uri 'none'",
        // Browsers hold the redirects that follow on a form to this as well.
        ["form-action 'self'", ...formTargets].join(" "),
        "frame-ancestors 'none'",
      ].join("; "),
      // Forms have to say where they come from, and nobody else needs to know.
      "Referrer-Policy": "same-origin",
      "X-Content-Type-Options": "nosniff",
      "X-Frame-Options": "DENY",
      "Cache-Control": "no-store",
      ...headers,
    });
  }

  #document({ language, title, main, script }: PageContent): Html {
    const { organisation, logoPath } = this.#look;
    const logo = logoPath !== undefined && html`<img src="${logoPath}" alt="${organisation}">`;
    return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} &ndash; ${organisation}</title>
<style>${raw(this.#style)}</style>
</head>
<body>
<header>${logo || html`<strong>${organisation}</strong>`}</header>
<main>
<h1>${title}</h1>
${main}
</main>
<footer>${textsOf(language).footer(organisation)}</footer>
${script !== undefined && html`<script>${raw(script)}</script>`}
</body>
</html>
`;
  }
}

/** An answer that sends the browser on. */
export function redirect(location: string, cookies: readonly string[] = []): Reply {
  return new Reply(303, undefined, {
    Location: location,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    ...(cookies.length > 0 && { "Set-Cookie": [...cookies] }),
  });
}

/** Our own style and scripts, in which there is nothing of a request. */
function raw(text: string): Html {
  return new Html(text);
}

function sourceHash(source: string): string {
  return `'sha256-${hash("sha256", source, "base64")}'`;
}

function styleFor({ accentColour }: Look): string {
  return `
:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5; --accent: ${accentColour}; }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; }
header { border-top: .35rem solid var(--accent); padding: 1.2rem; text-align: center; }
header img { max-height: 3rem; max-width: 16rem; }
main { flex: 1; box-sizing: border-box; width: 100%; max-width: 26rem; margin: 0 auto; padding: 0 1rem; }
footer { padding: 1.5rem; text-align: center; font-size: .85rem; opacity: .7; }
h1 { font-size: 1.4rem; }
label { display: block; margin: 1rem 0; }
input { display: block; box-sizing: border-box; width: 100%; margin-top: .3rem; padding: .6rem; font: inherit; border: 1px solid #8888; border-radius: .4rem; }
button, .button { display: block; box-sizing: border-box; width: 100%; margin: .6rem 0; padding: .65rem 1rem; font: inherit; font-weight: 600; text-align: center; text-decoration: none; border: 1px solid var(--accent); border-radius: .4rem; color: inherit; background: none; cursor: pointer; }
button.primary { background: var(--accent); color: ${readableOn(accentColour)}; }
:focus-visible { outline: .2rem solid var(--accent); outline-offset: .1rem; }
label.check { display: flex; gap: .5rem; align-items: center; }
label.check input { width: auto; margin: 0; }
.error { padding: .6rem .8rem; border-left: .3rem solid #c00; background: #c001; }
.note { font-size: .9rem; opacity: .8; }
.code { font: 600 1.5rem ui-monospace, monospace; letter-spacing: .15em; text-align: center; }
ul.plain { list-style: none; padding: 0; }
ul.plain li { padding: .7rem 0; border-bottom: 1px solid #8884; overflow-wrap: anywhere; }
`;
}

/** Black or white, whichever can be read better on a colour. */
function readableOn(colour: string): string {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  return red * 0.299 + green * 0.587 + blue * 0.114 > 150 ? "#000" : "#fff";
}
