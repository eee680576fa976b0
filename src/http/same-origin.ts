import type { IncomingMessage } from "node:http";
import { MatrixError } from "../protocol/matrix-error.ts";

/**
 * Refuses a form that another site has sent in a user's name (cross-site request forgery). Browsers tell where a POST
 * comes from: in `Sec-Fetch-Site`, which they send to hosts that they trust, and in `Origin`, which they always send.
 * @param ownOrigin such as `https://matrix.example.org`
 * @throws MatrixError M_FORBIDDEN.
 */
export function refuseOtherSites({ headers }: IncomingMessage, ownOrigin: string): void {
  const site = headers["sec-fetch-site"];
  const isOwn = site === undefined ? headers.origin === ownOrigin : site === "same-origin";
  if (isOwn) return;
  throw new MatrixError(
    "M_FORBIDDEN",
    "This form did not come from a page of this server: open the page anew",
  );
}
