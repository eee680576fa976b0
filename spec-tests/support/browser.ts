/** A page as a browser has it after all redirects. */
export interface BrowserPage {
  readonly url: URL;
  readonly status: number;
  readonly html: string;
  readonly headers: Headers;
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly host: string;
  readonly path: string;
  readonly header: string;
}

export interface Submission {
  /** Fields beside those that the form has filled in already. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Which form, when there are several: part of its HTML. */
  readonly form?: string;
  /** In place of those of a browser. */
  readonly headers?: Readonly<Record<string, string>>;
}

interface PageRequest {
  readonly method: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const maxRedirects = 20;

/** As much of a browser as signing in takes: cookies, redirects, links and forms; no scripts. */
export class Browser {
  readonly #cookies: Cookie[] = [];
  readonly #language: string;

  constructor(language = "en") {
    this.#language = language;
  }

  /** Follows redirects as far as there are servers: one to an app or to `*.test` is where it ends, with status 0. */
  async open(address: string | URL): Promise<BrowserPage> {
    return this.#load(new URL(address), { method: "GET" });
  }

  /** Follows the link whose HTML has this in it. */
  async follow(page: BrowserPage, text: string): Promise<BrowserPage> {
    const links = [...page.html.matchAll(/<a\b[^>]*href="([^"]*)"[^>]*>.*?<\/a>/gs)];
    const link = links.find(([html]) => html.includes(text));
    if (!link) throw new Error(`there is no link ${text} in ${page.html}`);
    return this.open(new URL(decoded(link[1] ?? ""), page.url));
  }

  async submit(page: BrowserPage, submission: Submission = {}): Promise<BrowserPage> {
    const { fields = {}, form: part = "", headers = {} } = submission;
    const forms = [...page.html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)];
    const form = forms.find(([html]) => html.includes(part));
    if (!form) throw new Error(`there is no form ${part} in ${page.url.href}: ${page.html}`);
    const action = /action="([^"]*)"/.exec(form[1] ?? "")?.[1];
    const body = new URLSearchParams({ ...hiddenFields(form[2] ?? ""), ...fields });
    return this.#load(action === undefined ? page.url : new URL(decoded(action), page.url), {
      method: "POST",
      body: body.toString(),
      headers: {
        "Content-Type": "application/x-www-form-urlencoded",
        Origin: page.url.origin,
        "Sec-Fetch-Site": "same-origin",
        ...headers,
      },
    });
  }

  /** The `Set-Cookie` headers of cookies that are kept, by their names. */
  cookieHeaders(name: RegExp): string[] {
    return this.#cookies.filter((cookie) => name.test(cookie.name)).map(({ header }) => header);
  }

  forgetCookies(name: RegExp): void {
    const kept = this.#cookies.filter((cookie) => !name.test(cookie.name));
    this.#cookies.splice(0, this.#cookies.length, ...kept);
  }

  async #load(first: URL, request: PageRequest): Promise<BrowserPage> {
    let url = first;
    let options: PageRequest = request;
    for (let redirects = 0; redirects < maxRedirects; redirects++) {
      if (!/^https?:$/.test(url.protocol) || url.hostname.endsWith(".test")) {
        return { url, status: 0, html: "", headers: new Headers() };
      }
      const headers = {
        "Accept-Language": this.#language,
        Accept: "text/html",
        ...options.headers,
        Cookie: this.#cookiesFor(url),
      };
      const response = await fetch(url, { ...options, headers, redirect: "manual" });
      this.#keepCookies(url, response.headers.getSetCookie());
      const location = response.headers.get("Location");
      const html = await response.text();
      if (response.status < 300 || response.status >= 400 || location === null) {
        return { url, status: response.status, html, headers: response.headers };
      }
      url = new URL(location, url);
      options = { method: "GET" };
    }
    throw new Error(`more than ${maxRedirects} redirects from ${first.href}`);
  }

  #cookiesFor({ hostname, port, pathname }: URL): string {
    return this.#cookies
      .filter(({ host, path }) => host === `${hostname}:${port}` && isWithin(pathname, path))
      .toSorted((a, b) => b.path.length - a.path.length)
      .map(({ name, value }) => `${name}=${value}`)
      .join("; ");
  }

  #keepCookies({ hostname, port, pathname }: URL, headers: readonly string[]): void {
    for (const header of headers) {
      const [pair = "", ...attributes] = header.split(/;\s*/);
      const name = pair.slice(0, pair.indexOf("="));
      const value = pair.slice(pair.indexOf("=") + 1);
      const attribute = (key: string) =>
        attributes.find((text) => text.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1);
      const path = attribute("path") ?? pathname.slice(0, Math.max(1, pathname.lastIndexOf("/")));
      const host = `${hostname}:${port}`;
      const isSame = (cookie: Cookie) => cookie.name === name && cookie.host === host && cookie.path === path;
      const at = this.#cookies.findIndex(isSame);
      if (at !== -1) this.#cookies.splice(at, 1);
      const expires = attribute("expires");
      const isGone =
        attribute("max-age") === "0" || (expires !== undefined && Date.parse(expires) < Date.now());
      if (!isGone) this.#cookies.push({ name, value, host, path, header });
    }
  }
}

function isWithin(pathname: string, path: string): boolean {
  return path === "/" || pathname === path || pathname.startsWith(path.endsWith("/") ? path : `${path}/`);
}

function hiddenFields(html: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [input] of html.matchAll(/<input\b[^>]*>/g)) {
    const name = /name="([^"]*)"/.exec(input)?.[1];
    const value = /value="([^"]*)"/.exec(input)?.[1];
    if (name !== undefined && value !== undefined) fields[decoded(name)] = decoded(value);
  }
  return fields;
}

function decoded(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}
