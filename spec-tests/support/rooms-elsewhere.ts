import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import { type TestCertificate, testCertificate } from "../../src/outbound/testing/certificate.ts";
import { FakeRoom } from "./fake-room.ts";
import { FakeServers } from "./fake-servers.ts";
import type { FederatedServer } from "./federated-servers.ts";
import { freePort } from "./free-port.ts";
import type { TestServer } from "./server.ts";

/** A server whose users join rooms of others, which are of another make. */
export interface ServerAndRoomsElsewhere<Server extends TestServer> {
  readonly server: Server & FederatedServer;
  readonly fake: FakeServers;
  /** The names of the other servers. */
  readonly hosts: readonly string[];
  /** Of a server at one of the addresses that the server would trust. */
  readonly tls: TestCertificate;
  /**
   * Makes a room, which serves partial states.
   * @param host lets others in
   * @param servers those of the members, of whom there are three
   */
  readonly makeRoom: (host: string, servers: readonly string[], moderators?: readonly string[]) => FakeRoom;
}

/**
 * Starts a server and others of another make, which stop when the test ends.
 * @param addresses of the others, in the loopback network
 * @param start starts the server by its configuration
 */
export async function serverAndRoomsElsewhere<Server extends TestServer>(
  t: Test,
  addresses: readonly string[],
  start: (config: Record<string, unknown>) => Promise<Server>,
): Promise<ServerAndRoomsElsewhere<Server>> {
  const folder = await mkdtemp(join(tmpdir(), "hearth-elsewhere-"));
  const tls = testCertificate(...addresses);
  const certificate = join(folder, "cert.pem");
  await writeFile(certificate, tls.cert);
  const port = await freePort();
  const fake = new FakeServers();
  const rooms: FakeRoom[] = [];
  for (const address of addresses) {
    await fake.start(address, port, tls, (request, body, response) =>
      rooms.some((room) => room.answering(true)(request, body, response)),
    );
  }
  const name = "127.0.0.1:1";
  const federation = { extra_ca_file: certificate, allowed_private_ranges: ["127.0.0.0/8"] };
  const server = Object.assign(await start({ server_name: name, federation }), { name });
  t.teardown(async () => {
    await server[Symbol.asyncDispose]();
    await fake[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    server,
    fake,
    tls,
    hosts: addresses.map((address) => `${address}:${port}`),
    makeRoom: (host, servers, moderators) => {
      const room = new FakeRoom(fake, host, servers, 3, moderators);
      // Whoever asks for no room in particular is answered by the newest.
      rooms.unshift(room);
      return room;
    },
  };
}
