import type { OutboundHttp, OutboundRequest, OutboundResponse } from "../../outbound/outbound-http.ts";
import type { UrlPatterns } from "../../previews/url-patterns.ts";
import { version } from "../../version.ts";

/** What a site says of itself comes early in a page. */
const maxPageBytes = 2 * 1024 * 1024;
const maxPictureBytes = 5 * 1024 * 1024;
const maxDescriptionBytes = 256 * 1024;
const pageTimeoutMs = 10_000;
const partTimeoutMs = 7_000;
const maxRedirects = 5;
/** Many sites leave it to a browser's scripts to fill their pages, but not for who says that it is a bot. */
const userAgent = `Hearth/${version} (bot; URL previews of a Matrix homeserver)`;

/** Asks linked sites, as far as they may be asked. */
export class SiteClient {
  readonly #http: Pick<OutboundHttp, "request">;
  readonly #denied: UrlPatterns;

  constructor(http: Pick<OutboundHttp, "request">, denied: UrlPatterns) {
    this.#http = http;
    this.#denied = denied;
  }

  permits(url: URL): boolean {
    return !this.#denied.matches(url);
  }

  /**
   * What a link leads to: as much of a page as is of use, a picture whole, of other content the headers only.
   * @throws OutboundError
   */
  page(url: URL, language: string): Promise<OutboundResponse> {
    return this.#get(url, {
      accept: "text/html, application/xhtml+xml, image/*;q=0.9, */*;q=0.5",
      language,
      timeoutMs: pageTimeoutMs,
      maxResponseBytes: Infinity,
      bytesOfUse: ({ "content-type": type }) => {
        if (isPage(type)) return maxPageBytes;
        return isPicture(type) ? maxPictureBytes : 0;
      },
    });
  }

  /** @throws OutboundError */
  picture(url: URL): Promise<OutboundResponse> {
    return this.#get(url, { accept: "image/*", timeoutMs: partTimeoutMs, maxResponseBytes: maxPictureBytes });
  }

  /** An oEmbed description. @throws OutboundError */
  description(url: URL, language: string): Promise<OutboundResponse> {
    return this.#get(url, {
      accept: "application/json",
      language,
      timeoutMs: partTimeoutMs,
      maxResponseBytes: maxDescriptionBytes,
    });
  }

  #get(
    url: URL,
    {
      accept,
      language,
      ...bounds
    }: { accept: string; language?: string } & Omit<OutboundRequest, "method" | "url">,
  ): Promise<OutboundResponse> {
    const headers = {
      Accept: accept,
      // What is compressed may be far larger than it seems.
      "Accept-Encoding": "identity",
      ...(language !== undefined && { "Accept-Language": `${language}, *;q=0.5` }),
      "User-Agent": userAgent,
    };
    const permits = (target: URL) => this.permits(target);
    return this.#http.request({
      method: "GET",
      url,
      headers,
      headersForAll: true,
      maxRedirects,
      permits,
      ...bounds,
    });
  }
}

export function isPage(contentType: string | undefined): boolean {
  return /^\s*(text\/html|application\/xhtml\+xml)\s*(;|$)/i.test(contentType ?? "");
}

export function isPicture(contentType: string | undefined): boolean {
  return /^\s*image\//i.test(contentType ?? "");
}
