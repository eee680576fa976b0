import type { ComponentType } from "react";
import type { IconName } from "../parts/icons.tsx";
import { AuditPage } from "../pages/audit.tsx";
import { JobsPage } from "../pages/jobs.tsx";
import { RoomPage } from "../pages/room.tsx";
import { RoomsPage } from "../pages/rooms.tsx";
import { UserPage } from "../pages/user.tsx";
import { UsersPage } from "../pages/users.tsx";

export interface ConsolePage {
  readonly name: IconName;
  readonly List: ComponentType;
  /** Shows one of them, whose ID follows in the address. */
  readonly Item?: ComponentType<{ readonly id: string }>;
}

/** In the order of the menu; the first is shown first. */
export const pages: readonly ConsolePage[] = [
  { name: "users", List: UsersPage, Item: UserPage },
  { name: "rooms", List: RoomsPage, Item: RoomPage },
  { name: "jobs", List: JobsPage },
  { name: "audit", List: AuditPage },
];
