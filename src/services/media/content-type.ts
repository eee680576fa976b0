const unknownType = "application/octet-stream";
const maxLength = 255;
const mediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/;
/** RFC 9110, section 5.6.6. */
const parameters =
  /^([\t ]*;[\t ]*[\w!#$%&'*+.^`|~-]+=([\w!#$%&'*+.^`|~-]+|"([ !#-[\]-~]|\\[ -~])*"))*[\t ]*;?[\t ]*$/;

/**
 * What can be sent as `Content-Type` again; anything else counts as not given. Parameters that are malformed are left
 * away: of "image/png; a, text/html" browsers would take the last type, and show it in place as a picture may be.
 */
export function knownContentType(contentType = unknownType): string {
  const end = contentType.indexOf(";");
  const type = (end === -1 ? contentType : contentType.slice(0, end)).trim();
  if (!mediaType.test(type) || contentType.length > maxLength) return unknownType;
  const rest = end === -1 ? "" : contentType.slice(end);
  return parameters.test(rest) ? type + rest : type;
}
