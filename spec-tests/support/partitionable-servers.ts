import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testCertificate } from "../../src/outbound/testing/certificate.ts";
import { freePort } from "./free-port.ts";
import { NetworkLink } from "./network-link.ts";
import { ServerProcess } from "./server-process.ts";

const detours = join(import.meta.dirname, "detours.ts");

/** Servers in processes of their own that reach each other over TLS, on ways that can be cut one by one. */
export class PartitionableServers implements AsyncDisposable {
  readonly servers: readonly ServerProcess[];
  /** In the same order. */
  readonly names: readonly string[];
  /** From one server, by index, to another. */
  readonly #links: readonly (readonly (NetworkLink | undefined)[])[];
  readonly #folder: string;

  private constructor(
    servers: readonly ServerProcess[],
    names: readonly string[],
    links: readonly (readonly (NetworkLink | undefined)[])[],
    folder: string,
  ) {
    this.servers = servers;
    this.names = names;
    this.#links = links;
    this.#folder = folder;
  }

  static async start(count: number): Promise<PartitionableServers> {
    const folder = await mkdtemp(join(tmpdir(), "hearth-partitions-"));
    const { key, cert } = testCertificate("127.0.0.1");
    const tls = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
    await writeFile(tls.cert, cert);
    await writeFile(tls.key, key);
    const indexes = Array.from({ length: count }, (_, index) => index);
    const ports: number[] = [];
    for (const _ of indexes) ports.push(await freePort());
    const links: (NetworkLink | undefined)[][] = [];
    for (const from of indexes) {
      const row: (NetworkLink | undefined)[] = [];
      for (const to of indexes) row.push(from === to ? undefined : await NetworkLink.open(ports[to] ?? 0));
      links.push(row);
    }
    const names = ports.map((port) => `127.0.0.1:${port}`);
    const servers: ServerProcess[] = [];
    for (const [index, port] of ports.entries()) {
      const ways = (links[index] ?? []).map((link, to) => [ports[to], link?.port] as const);
      const federation = { extra_ca_file: tls.cert, allowed_private_ranges: ["127.0.0.0/8"] };
      const server = await ServerProcess.prepare(
        { server_name: names[index], federation },
        {
          listeners: [{ bind: "127.0.0.1", port, apis: ["federation"], tls }],
          imports: [detours],
          env: { DETOURS: JSON.stringify(Object.fromEntries(ways)) },
        },
      );
      servers.push(server);
    }
    await Promise.all(servers.map((server) => server.start()));
    return new PartitionableServers(servers, names, links, folder);
  }

  /** Lets through only what stays on one side. @param sides indexes of servers; those in none are alone */
  partition(...sides: readonly (readonly number[])[]): void {
    const isTogether = (from: number, to: number) =>
      sides.some((side) => side.includes(from) && side.includes(to));
    this.#each((link, from, to) => (isTogether(from, to) ? link.heal() : link.cut()));
  }

  heal(): void {
    this.#each((link) => link.heal());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
    for (const link of this.#links.flat()) await link?.[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #each(change: (link: NetworkLink, from: number, to: number) => void): void {
    for (const [from, row] of this.#links.entries()) {
      for (const [to, link] of row.entries()) if (link) change(link, from, to);
    }
  }
}
