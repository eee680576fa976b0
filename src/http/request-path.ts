import { MatrixError } from "../protocol/matrix-error.ts";

/**
 * Refuses a path whose parameters are no text: the router would hand out what it cannot decode as it is.
 * @throws MatrixError M_INVALID_PARAM.
 */
export function checkEncoding(path: string): void {
  if (isPercentEncoded(path) && !path.includes("%00")) return;
  throw new MatrixError("M_INVALID_PARAM", "The path has to be percent-encoded UTF-8, without U+0000");
}

function isPercentEncoded(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}
