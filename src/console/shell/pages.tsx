import type { ComponentType } from "react";
import type { IconName } from "../parts/icons.tsx";
import { AppservicesPage } from "../pages/appservices.tsx";
import { AuditPage } from "../pages/audit.tsx";
import { ConfigurationPage } from "../pages/configuration.tsx";
import { JobsPage } from "../pages/jobs.tsx";
import { OverviewPage } from "../pages/overview.tsx";
import { RoomPage } from "../pages/room.tsx";
import { RoomsPage } from "../pages/rooms.tsx";
import { TokensPage } from "../pages/tokens.tsx";
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
  { name: "overview", List: OverviewPage },
  { name: "users", List: UsersPage, Item: UserPage },
  { name: "rooms", List: RoomsPage, Item: RoomPage },
  { name: "tokens", List: TokensPage },
  { name: "appservices", List: AppservicesPage },
  { name: "jobs", List: JobsPage },
  { name: "audit", List: AuditPage },
  { name: "config", List: ConfigurationPage },
];
