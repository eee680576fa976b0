import { createContext, useContext } from "react";
import type { Session } from "./session.ts";

export const SessionContext = createContext<Session | undefined>(undefined);

/** Who has signed in: there is somebody on every page but the one for signing in. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("Nobody has signed in");
  return session;
}
