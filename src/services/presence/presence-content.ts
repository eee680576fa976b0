import type { UserPresence } from "../../storage/presence.ts";

/**
 * How a user is seen, as `m.presence` has it in its content and GET /presence as its answer.
 *
 * `currently_active` is as long true as the user is online: a user who does nothing is told to be `unavailable`, so that
 * nothing has to be told of a user who goes on being active.
 * @param nowTs milliseconds since the epoch
 */
export function presenceContent({ state, statusMessage, lastActiveTs }: UserPresence, nowTs: number): object {
  return {
    presence: state,
    last_active_ago: Math.max(0, nowTs - lastActiveTs),
    currently_active: state === "online",
    ...(statusMessage !== null && { status_msg: statusMessage }),
  };
}
