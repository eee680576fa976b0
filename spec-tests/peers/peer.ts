import type { MailServer } from "../support/mail-server.ts";
import type { TestServer } from "../support/server.ts";
import type { Sydent } from "../support/sydent.ts";

/** A homeserver of some make, in a process of its own, that others reach over TLS. */
export interface Peer extends TestServer {
  /** What made it. */
  readonly make: "Hearth" | "Synapse";
  /** Its name in user IDs and room aliases, with its port for other servers. No two have the same host. */
  readonly name: string;
  /** Stops it; its data stay. */
  stop(): Promise<void>;
  /** Starts it again. */
  start(): Promise<void>;
  /** The last lines of its log. */
  readonly outputTail: string;
}

/** Two peers, one of which has what users of the other come to. */
export interface Meeting {
  readonly host: Peer;
  readonly guest: Peer;
}

/** The two ways in which two peers can meet. */
export function bothWays(one: Peer, other: Peer): readonly Meeting[] {
  return [
    { host: one, guest: other },
    { host: other, guest: one },
  ];
}

/** For titles of tests. */
export function titleOf({ host, guest }: Meeting): string {
  return `${guest.make} at ${host.make}'s`;
}

/** An identity server that peers know, and what it sends e-mails with. */
export interface IdentityService {
  readonly sydent: Sydent;
  readonly mails: MailServer;
}

export interface Peers {
  readonly hearth: Peer;
  readonly synapse: Peer;
  /** Where there is one. */
  readonly identity?: IdentityService | undefined;
}
