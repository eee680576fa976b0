import { type PageFacts, type PageImage, pageBounds } from "./page-facts.ts";

type Attributes = Readonly<Record<string, string>>;

/** Elements that are not what the page has to say. */
const skippedElements: ReadonlySet<string> = new Set([
  ..."script style noscript template svg math iframe object canvas audio video select button textarea".split(
    " ",
  ),
  ..."header nav aside footer dialog menu".split(" "),
]);
/** Elements within a line: all others separate the text before from the text after. */
const inlineElements: ReadonlySet<string> = new Set(
  "a abbr b bdi bdo cite code data dfn em font i img ins kbd mark q s samp small span strong sub sup time u var wbr".split(
    " ",
  ),
);
const headings: ReadonlySet<string> = new Set(["h1", "h2", "h3"]);

/** Picks up what a page says of itself while it is being parsed. Whatever it keeps has a bound. */
export class PageCollector {
  readonly #meta = new Map<string, string>();
  readonly #images: PageImage[] = [];
  #title = "";
  #heading = "";
  #text = "";
  #icon: string | undefined;
  #imageLink: string | undefined;
  #oEmbedLink: string | undefined;
  #base: string | undefined;
  #depth = 0;
  #skippedDepth = 0;
  #isHeadOver = false;
  /** Where text goes. */
  #within: "title" | "heading" | "text" = "text";

  /** How many elements are open. */
  get depth(): number {
    return this.#depth;
  }

  /** Whether nothing of what may still come would matter. */
  get isComplete(): boolean {
    return (
      this.#isHeadOver && ["og:title", "og:description", "og:image"].every((name) => this.#meta.has(name))
    );
  }

  get facts(): PageFacts {
    return {
      meta: this.#meta,
      title: collapsed(this.#title),
      heading: collapsed(this.#heading),
      text: collapsed(this.#text),
      images: this.#images,
      icon: this.#icon,
      imageLink: this.#imageLink,
      oEmbedLink: this.#oEmbedLink,
      base: this.#base,
    };
  }

  readonly onopentag = (name: string, attributes: Attributes): void => {
    this.#depth += 1;
    if (skippedElements.has(name)) this.#skippedDepth += 1;
    if (!inlineElements.has(name)) this.#breakText();
    if (name === "body") this.#isHeadOver = true;
    else if (name === "meta") this.#takeMeta(attributes);
    else if (name === "link") this.#takeLink(attributes);
    else if (name === "base") this.#base ??= bounded(attributes["href"]);
    else if (this.#skippedDepth > 0) return;
    else if (name === "img") this.#takeImage(attributes);
    else if (name === "title" && this.#title === "") this.#within = "title";
    else if (headings.has(name) && this.#heading === "") this.#within = "heading";
  };

  readonly onclosetag = (name: string): void => {
    this.#depth -= 1;
    if (skippedElements.has(name)) this.#skippedDepth -= 1;
    if (!inlineElements.has(name)) this.#breakText();
    if (name === "head") this.#isHeadOver = true;
    if (name === "title" || headings.has(name)) this.#within = "text";
  };

  readonly ontext = (text: string): void => {
    if (this.#skippedDepth > 0) return;
    if (this.#within === "title") this.#title = appended(this.#title, text);
    else if (this.#within === "heading") this.#heading = appended(this.#heading, text);
    else this.#text = appended(this.#text, text);
  };

  #breakText(): void {
    if (this.#within === "text" && !this.#text.endsWith("\n")) this.#text = appended(this.#text, "\n");
  }

  #takeMeta(attributes: Attributes): void {
    const name = (attributes["property"] ?? attributes["name"] ?? attributes["itemprop"] ?? "")
      .trim()
      .toLowerCase();
    const content = bounded(attributes["content"]);
    if (name === "" || name.length > 100 || content === undefined || this.#meta.has(name)) return;
    if (this.#meta.size < pageBounds.metaEntries) this.#meta.set(name, content);
  }

  #takeLink({ rel = "", type = "", href }: Attributes): void {
    const target = bounded(href);
    if (target === undefined) return;
    const relations = rel.toLowerCase().split(/\s+/, 10);
    if (relations.includes("icon")) this.#icon ??= target;
    if (relations.includes("image_src")) this.#imageLink ??= target;
    if (relations.includes("alternate") && type.toLowerCase() === "application/json+oembed") {
      this.#oEmbedLink ??= target;
    }
  }

  #takeImage({ src, width, height }: Attributes): void {
    const source = bounded(src);
    if (source === undefined || source.startsWith("data:") || this.#images.length >= pageBounds.images)
      return;
    this.#images.push({ src: source, width: pixels(width), height: pixels(height) });
  }
}

/** `undefined` for an attribute that is missing, empty or longer than anything sensible. */
function bounded(value: string | undefined): string | undefined {
  const trimmed = value?.trim() ?? "";
  return trimmed === "" || trimmed.length > pageBounds.valueLength ? undefined : trimmed;
}

/** Twice as much as is shown, as white space will go. */
function appended(text: string, more: string): string {
  const room = 2 * pageBounds.textLength - text.length;
  return room <= 0 ? text : text + more.slice(0, room);
}

function collapsed(text: string): string {
  return text
    .replaceAll(/[^\S\n]+/g, " ")
    .replaceAll(/ ?\n[ \n]*/g, "\n")
    .trim()
    .slice(0, pageBounds.textLength)
    .toWellFormed();
}

function pixels(value: string | undefined): number | undefined {
  const [, digits] = /^\s*(\d{1,5})(px)?\s*$/.exec(value ?? "") ?? [];
  return digits === undefined ? undefined : Number(digits);
}
