/** A header's value and its parameters, such as `text/plain; charset=utf-8`. */
export interface ParameterisedHeader {
  /** In small letters. */
  readonly value: string;
  /** By their names in small letters; quotes are taken away. */
  readonly parameters: ReadonlyMap<string, string>;
}

const maxParameters = 20;
/** RFC 9110, section 5.6.6. */
const parameter = /[\t ]*;[\t ]*([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/y;

/** Reads a header. What is malformed ends the reading: the parameters before it count. */
export function parseParameterisedHeader(text: string): ParameterisedHeader {
  const semicolon = text.indexOf(";");
  const end = semicolon === -1 ? text.length : semicolon;
  const parameters = new Map<string, string>();
  parameter.lastIndex = end;
  for (let count = 0; count < maxParameters; count++) {
    const [, name, quoted, plain] = parameter.exec(text) ?? [];
    if (name === undefined) break;
    const value = quoted?.replaceAll(/\\(.)/g, "$1") ?? plain ?? "";
    parameters.set(name.toLowerCase(), value);
  }
  return { value: text.slice(0, end).trim().toLowerCase(), parameters };
}

/** The file's name in a `Content-Disposition` (RFC 6266); `undefined` without a usable one. */
export function filenameOf(disposition: string): string | undefined {
  const { parameters } = parseParameterisedHeader(disposition);
  const name = decoded(parameters.get("filename*")) ?? parameters.get("filename");
  return name === undefined || name === "" ? undefined : name;
}

/** RFC 8187: `utf-8'language'percent-encoded`. */
function decoded(extended: string | undefined): string | undefined {
  const [, encoded] = /^utf-8'[^']*'(.*)$/i.exec(extended ?? "") ?? [];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch (error) {
    // The plain name counts where the other is malformed.
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
