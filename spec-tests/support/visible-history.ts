import type { Json, TestEvent } from "./rooms.ts";

/** Filters as clients write them, as far as they are tried here. */
export interface TimelineFilter {
  readonly limit?: number;
  readonly types?: readonly string[];
  readonly not_types?: readonly string[];
  readonly senders?: readonly string[];
  readonly not_senders?: readonly string[];
  readonly contains_url?: boolean;
}

/**
 * Which events of a room somebody may see, worked out from the events alone ("Room History Visibility"), in the words of the
 * specification and without the server's own code.
 * @param events all of them, in order
 * @param upTo of a room that they have left: the index of the event by which they have
 */
export function visibleTo(userId: string, events: readonly TestEvent[]): readonly TestEvent[] {
  const isOwn = (event: TestEvent) => event.type === "m.room.member" && event.state_key === userId;
  const memberships = events.map((event) => (isOwn(event) ? text(event.content, "membership") : undefined));
  const lastJoin = memberships.lastIndexOf("join");
  // Who has left sees nothing of what came after.
  const departure = memberships.findIndex((value, index) => index > lastJoin && value !== undefined);
  const end = lastJoin === -1 ? 0 : departure === -1 ? events.length : departure + 1;
  let visibility = "shared";
  let membership = "leave";
  const visible: TestEvent[] = [];
  for (const [index, event] of events.slice(0, end).entries()) {
    const visibilities = [visibility];
    const ownMemberships = [membership];
    if (event.type === "m.room.history_visibility" && event.state_key === "") {
      visibility = text(event.content, "history_visibility") ?? "shared";
      visibilities.push(visibility);
    }
    membership = memberships[index] ?? membership;
    ownMemberships.push(...(isOwn(event) ? [membership] : []));
    const joinedLater = lastJoin > index || membership === "join";
    const isSeen = visibilities.some(
      (one) =>
        one === "world_readable" ||
        ownMemberships.includes("join") ||
        (one === "shared" && joinedLater) ||
        (one === "invited" && ownMemberships.includes("invite")),
    );
    if (isSeen) visible.push(event);
  }
  return visible;
}

/** Which events of a room everybody may read, in it or not. @param events all of them, in order */
export function worldReadable(events: readonly TestEvent[]): ReadonlySet<string> {
  const readable = new Set<string>();
  let visibility = "shared";
  for (const event of events) {
    const before = visibility;
    if (event.type === "m.room.history_visibility" && event.state_key === "") {
      visibility = text(event.content, "history_visibility") ?? "shared";
    }
    if (before === "world_readable" || visibility === "world_readable") readable.add(event.event_id);
  }
  return readable;
}

/** Whether a client that filters wants an event. */
export function passes(filter: TimelineFilter, { type, sender, content }: TestEvent): boolean {
  if (filter.types && !filter.types.some((pattern) => fits(pattern, type))) return false;
  if (filter.not_types?.some((pattern) => fits(pattern, type))) return false;
  if (filter.senders && !filter.senders.includes(sender)) return false;
  if (filter.not_senders?.includes(sender)) return false;
  return filter.contains_url === undefined || filter.contains_url === (typeof content["url"] === "string");
}

function fits(pattern: string, type: string): boolean {
  return pattern.endsWith("*") ? type.startsWith(pattern.slice(0, -1)) : pattern === type;
}

function text(content: Json, key: string): string | undefined {
  const value = content[key];
  return typeof value === "string" ? value : undefined;
}
