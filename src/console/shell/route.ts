import { useSyncExternalStore } from "react";

/**
 * Where in the console somebody is: the part of the address behind its #, which no server is ever told. So the names of
 * users and rooms that an administrator looks at are in nobody's log.
 */
export function useRoute(): readonly string[] {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return hash.replace(/^#\/?/, "").split("/").map(decoded);
}

/** The address of a page in the console. */
export function linkTo(...segments: string[]): string {
  return `#/${segments.map((segment) => encodeURIComponent(segment)).join("/")}`;
}

function subscribe(changed: () => void): () => void {
  addEventListener("hashchange", changed);
  return () => removeEventListener("hashchange", changed);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    // Somebody has written the address by hand.
    if (error instanceof URIError) return segment;
    throw error;
  }
}
