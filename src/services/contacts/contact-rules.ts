import { Glob } from "../../protocol/glob.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { ContactAddress, ContactMedium } from "../../storage/contacts.ts";

const clientSecretGrammar = /^[0-9a-zA-Z.=_-]{1,255}$/;
const maxNextLinkLength = 2_000;

/** Which addresses people may have here, and where they may be sent. */
export class ContactRules {
  readonly #media: ReadonlySet<ContactMedium>;
  readonly #emails: readonly Glob[];
  readonly #nextLinkHosts: readonly string[] | null;

  /**
   * @param media the kinds of addresses that messages can be sent to
   * @param allowedEmails globs; none allow every address
   * @param nextLinkHosts `null` for all hosts
   */
  constructor(
    media: ReadonlySet<ContactMedium>,
    allowedEmails: readonly string[],
    nextLinkHosts: readonly string[] | null,
  ) {
    this.#media = media;
    this.#emails = allowedEmails.map((pattern) => new Glob(pattern));
    this.#nextLinkHosts = nextLinkHosts;
  }

  get hasAny(): boolean {
    return this.#media.size > 0;
  }

  supports(medium: ContactMedium): boolean {
    return this.#media.has(medium);
  }

  /** @throws MatrixError M_THREEPID_MEDIUM_NOT_SUPPORTED */
  checkMedium(medium: ContactMedium): void {
    if (this.supports(medium)) return;
    const what = medium === "email" ? "e-mails" : "text messages";
    throw new MatrixError("M_THREEPID_MEDIUM_NOT_SUPPORTED", `This server sends no ${what}`);
  }

  /** @throws MatrixError M_THREEPID_DENIED for an address that nobody here may have */
  checkAllowed({ medium, address }: ContactAddress): void {
    if (medium !== "email" || this.#emails.length === 0) return;
    if (this.#emails.some((glob) => glob.matchesWhole(address))) return;
    throw new MatrixError("M_THREEPID_DENIED", "This server does not allow this e-mail address: use another");
  }

  /**
   * Where people may be sent when they have proved an address. The link is in a message that they trust, so it must lead
   * to the web only, and where the operator wants it to.
   * @throws MatrixError M_INVALID_PARAM
   */
  checkNextLink(link: string | undefined): void {
    if (link === undefined) return;
    const url = link.length > maxNextLinkLength ? null : URL.parse(link);
    if (!url || !["http:", "https:"].includes(url.protocol) || url.username !== "" || url.password !== "") {
      throw new MatrixError("M_INVALID_PARAM", "next_link has to be an http:// or https:// address");
    }
    if (this.#nextLinkHosts?.includes(url.host) ?? true) return;
    throw new MatrixError("M_INVALID_PARAM", `next_link may not lead to ${url.host.slice(0, 300)}`);
  }
}

/** Client-server API, `client_secret`. @throws MatrixError M_INVALID_PARAM */
export function checkClientSecret(secret: string): void {
  if (clientSecretGrammar.test(secret)) return;
  throw new MatrixError("M_INVALID_PARAM", "client_secret has to be 1 to 255 characters of 0-9a-zA-Z.=_-");
}
