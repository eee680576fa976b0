import type { PageFacts, PageImage } from "./page-facts.ts";

/** A picture that may stand for a page. */
export interface PictureCandidate {
  readonly url: URL;
  /** Smaller ones are decoration. */
  readonly minPixels: number;
}

/** Each is fetched until one is a picture. */
const maxCandidates = 4;
const stated = [
  "og:image:secure_url",
  "og:image:url",
  "og:image",
  "twitter:image",
  "twitter:image:src",
  "thumbnail",
  "image",
];
const minSidePixels = 48;

/**
 * The pictures of a page, best first: what it names as its own, then the first of a sensible size that it shows, then its
 * icon.
 * @param url where the page is
 */
export function pictureCandidates(facts: PageFacts, url: URL): PictureCandidate[] {
  const base = (facts.base !== undefined && URL.parse(facts.base, url)) || url;
  const named = [...stated.map((name) => facts.meta.get(name)), facts.imageLink];
  const shown = facts.images.filter(isSensible).map(({ src }) => src);
  const candidates = [
    ...named.map((address) => ({ address, minPixels: 1 })),
    ...shown.slice(0, 2).map((address) => ({ address, minPixels: minSidePixels })),
    { address: facts.icon, minPixels: 1 },
  ];
  const found = new Map<string, PictureCandidate>();
  for (const { address, minPixels } of candidates) {
    const target = address === undefined ? null : URL.parse(address, base);
    if (target && /^https?:$/.test(target.protocol) && !found.has(target.href)) {
      found.set(target.href, { url: target, minPixels });
    }
  }
  return [...found.values()].slice(0, maxCandidates);
}

/** Where a page does not say how large a picture is, only the picture can tell. */
function isSensible({ src, width = minSidePixels, height = minSidePixels }: PageImage): boolean {
  return width >= minSidePixels && height >= minSidePixels && !/\.svg([?#]|$)/i.test(src);
}
