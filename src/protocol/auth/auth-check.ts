import type { RoomEvent } from "../pdu.ts";
import type { RoomVersion } from "../room-versions.ts";
import type { AuthState } from "./auth-state.ts";
import type { PowerLevels } from "./power-levels.ts";

/** One event before the rules: what every rule that needs state looks at. */
export interface AuthCheck {
  readonly version: RoomVersion;
  readonly event: RoomEvent;
  /** The room state that the event is judged by. */
  readonly state: AuthState;
  /** That state's create event. */
  readonly create: RoomEvent;
  /** That state's power levels. */
  readonly levels: PowerLevels;
}
