/** Sorted keys, no white space, nothing that is undefined; enough for the characters that tests use. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null || JSON.isRawJSON(value)) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
  return `{${members.join(",")}}`;
}

/** Base64 as Matrix has it. */
export function unpadded(bytes: Buffer, encoding: "base64" | "base64url" = "base64"): string {
  return bytes.toString(encoding).replace(/=+$/, "");
}
