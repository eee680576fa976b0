/** A picture in a page. */
export interface PageImage {
  /** As the page says it: may be relative. */
  readonly src: string;
  /** In pixels, where the page says it. */
  readonly width: number | undefined;
  readonly height: number | undefined;
}

/** What a page says of itself, in bounded pieces: the page may be hostile. */
export interface PageFacts {
  /** The first value of each `meta` element's `property`, `name` or `itemprop`, by its name in lower case. */
  readonly meta: ReadonlyMap<string, string>;
  readonly title: string;
  readonly heading: string;
  /** The beginning of what there is to read. */
  readonly text: string;
  readonly images: readonly PageImage[];
  readonly icon: string | undefined;
  /** What `<link rel="image_src">` names. */
  readonly imageLink: string | undefined;
  /** Where the page's oEmbed description is, in JSON. */
  readonly oEmbedLink: string | undefined;
  /** What relative addresses are relative to, where that is not the page's own. */
  readonly base: string | undefined;
}

export const pageBounds = {
  metaEntries: 100,
  valueLength: 2_048,
  textLength: 1_000,
  images: 20,
} as const;
