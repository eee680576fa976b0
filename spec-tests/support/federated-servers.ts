import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestCertificate, testCertificate } from "../../src/outbound/testing/certificate.ts";
import { freePort } from "./free-port.ts";
import { startServer, type TestServer } from "./server.ts";

/** A server that others reach over TLS, under a name which says where it is. */
export interface FederatedServer extends TestServer {
  /** Its name in user IDs and room aliases: `127.0.0.1` and its port for other servers. */
  readonly name: string;
}

export type FederatedServers = readonly FederatedServer[] &
  AsyncDisposable & {
    /** Of a server that these would trust. */
    readonly tls: TestCertificate;
    /** `federation` in their configuration. */
    readonly federation: Readonly<Record<string, unknown>>;
  };

/**
 * Starts servers that trust each other's certificates and may connect to the loopback address.
 * @param overrides of the configuration, for all of them
 */
export async function startFederatedServers(
  count: number,
  overrides: Record<string, unknown> = {},
): Promise<FederatedServers> {
  const folder = await mkdtemp(join(tmpdir(), "hearth-federation-"));
  const { key, cert } = testCertificate("127.0.0.1");
  const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  await writeFile(keyFile, key);
  await writeFile(certFile, cert);
  const federation = {
    extra_ca_file: certFile,
    allowed_private_ranges: ["127.0.0.0/8"],
    ...(overrides["federation"] as Record<string, unknown> | undefined),
  };
  const servers: FederatedServer[] = [];
  for (let index = 0; index < count; index++) {
    const port = await freePort();
    const name = `127.0.0.1:${port}`;
    const server = await startServer({
      ...overrides,
      server_name: name,
      federation,
      listeners: [
        { bind: "127.0.0.1", port: await freePort(), apis: ["client", "federation", "admin"] },
        { bind: "127.0.0.1", port, apis: ["federation"], tls: { cert: certFile, key: keyFile } },
      ],
    });
    servers.push(Object.assign(server, { name }));
  }
  return Object.assign(servers, {
    tls: { key, cert },
    federation,
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
      await rm(folder, { recursive: true, force: true });
    },
  });
}
