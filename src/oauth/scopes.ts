/** Full access to the client-server API; the second spelling is that of MSC2967, which some clients still have. */
export const apiScopes: readonly string[] = [
  "urn:matrix:client:api:*",
  "urn:matrix:org.matrix.msc2967.client:api:*",
];

/** The parameter in which the scope of a request is kept whole. */
export const wholeScope = "hearth_scope";

const devicePrefixes: readonly string[] = [
  "urn:matrix:client:device:",
  "urn:matrix:org.matrix.msc2967.client:device:",
];

/** "The homeserver MAY reject a device_id that is not long enough": shorter ones collide. */
const deviceIdGrammar = /^[\x21\x23-\x5b\x5d-\x7e]{8,255}$/;

/**
 * The device that a client asks to be (client-server API, "Scope"): the scope has full access and exactly one device,
 * which may be there in both spellings.
 * @returns the device's ID, or what is wrong with the scope
 */
export function deviceOfScope(scope: string): { readonly deviceId: string } | { readonly fault: string } {
  const tokens = scope.split(" ");
  if (!tokens.some((token) => apiScopes.includes(token))) {
    return { fault: `the scope has to have ${apiScopes[0]}` };
  }
  const devices = new Set(
    tokens.flatMap((token) => {
      const prefix = devicePrefixes.find((start) => token.startsWith(start));
      return prefix === undefined ? [] : [token.slice(prefix.length)];
    }),
  );
  const [deviceId, another] = devices;
  if (deviceId === undefined || another !== undefined) {
    return { fault: `the scope has to have exactly one ${devicePrefixes[0]}<device_id>` };
  }
  if (!deviceIdGrammar.test(deviceId)) return { fault: "the device ID has to have 8 to 255 characters" };
  return { deviceId };
}

/** What a user is asked to grant: the tokens of a scope that this server knows, in their order. */
export function knownScope(scope: string): string {
  const isKnown = (token: string) =>
    token === "openid" ||
    apiScopes.includes(token) ||
    devicePrefixes.some((prefix) => token.startsWith(prefix));
  return scope.split(" ").filter(isKnown).join(" ");
}
