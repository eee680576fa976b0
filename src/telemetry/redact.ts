/** Names, in JSON and in query strings, of what must never be in a log. */
const secretNames = [
  "authorization",
  "cookie",
  "set-cookie",
  "x-registration-shared-secret",
  "password",
  "new_password",
  "newPassword",
  "access_token",
  "accessToken",
  "refresh_token",
  "refreshToken",
  "login_token",
  "loginToken",
  "as_token",
  "hs_token",
  "registration_token",
  "token",
  "secret",
  "shared_secret",
  "client_secret",
  "clientSecret",
  "private_key",
  "privateKey",
  "seed",
  "mac",
].join("|");

const replacement = "[secret]";
const jsonMember = new RegExp(`"(${secretNames})":"(?:[^"\\\\]|\\\\.)*"`, "gi");
/** JSON that is text within JSON, such as a response quoted in an error's message. */
const quotedJsonMember = new RegExp(`\\\\"(${secretNames})\\\\"\\s*:\\s*\\\\".*?\\\\"`, "gi");
const queryParameter = new RegExp(`\\b(${secretNames})=[^&\\s"\\\\]+`, "gi");
const bearer = /\bBearer [^\s"\\,]+/gi;
/** Our own tokens (auth/tokens.ts), wherever they turn up. */
const ownToken = /\bh[ardl]t_[\w-]{20,}/g;

/**
 * A log line (one JSON object) without the secrets that it had, at whatever depth: members by their names, query
 * parameters of URLs, Authorization headers, and tokens of this server by their looks.
 */
export function redactLine(line: string): string {
  return line
    .replace(jsonMember, `"$1":"${replacement}"`)
    .replace(quotedJsonMember, `\\"$1\\":\\"${replacement}\\"`)
    .replace(queryParameter, `$1=${replacement}`)
    .replace(bearer, `Bearer ${replacement}`)
    .replace(ownToken, replacement);
}
