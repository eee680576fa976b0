import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../../spec-tests/support/free-port.ts";
import type { ProcessOptions, ServerProcess } from "../../../spec-tests/support/server-process.ts";
import { testCertificate } from "../../../src/outbound/testing/certificate.ts";
import { FakeServers } from "../../../spec-tests/support/fake-servers.ts";
import { startServer } from "../server.ts";

/** A server, as a process of its own, and addresses on which fake ones can be started that it trusts. */
export interface Network extends AsyncDisposable {
  readonly server: ServerProcess;
  readonly fake: FakeServers;
  readonly port: number;
  readonly tls: { readonly key: string; readonly cert: string };
  /** Addresses in order: the first ones have certificates, others are for servers that do not answer. */
  readonly live: readonly string[];
}

/**
 * @param liveCount how many addresses get a certificate: at most 250
 * @param options of the server's process
 */
export async function startNetwork(liveCount: number, options: ProcessOptions = {}): Promise<Network> {
  const live = Array.from({ length: liveCount }, (_, index) => `127.0.1.${index + 1}`);
  const folder = await mkdtemp(join(tmpdir(), "hearth-bench-"));
  const tls = testCertificate("127.0.0.1", ...live);
  const certificate = join(folder, "cert.pem");
  await writeFile(certificate, tls.cert);
  const port = await freePort();
  const config = {
    server_name: "127.0.0.1:1",
    federation: {
      extra_ca_file: certificate,
      allowed_private_ranges: ["127.0.0.0/8"],
      key_notaries: [`${live[0]}:${port}`],
    },
  };
  const server = await startServer(config, options);
  const fake = new FakeServers();
  return {
    server,
    fake,
    port,
    tls,
    live,
    async [Symbol.asyncDispose]() {
      await server.end("SIGTERM");
      await server[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
