import { freePort } from "../support/free-port.ts";
import { ServerProcess } from "../support/server-process.ts";
import type { Peer } from "./peer.ts";

/** The certificate that all peers serve and trust, as files. */
export interface TlsFiles {
  readonly keyFile: string;
  readonly certFile: string;
}

/** This repository's server. */
export class Hearth implements Peer {
  readonly make = "Hearth";
  readonly name: string;
  readonly #process: ServerProcess;

  private constructor(name: string, process: ServerProcess) {
    this.name = name;
    this.#process = process;
  }

  static async start({ keyFile, certFile }: TlsFiles, settings: object = {}): Promise<Hearth> {
    const port = await freePort();
    const name = `127.0.0.1:${port}`;
    const process = await ServerProcess.prepare(
      {
        ...settings,
        server_name: name,
        federation: {
          extra_ca_file: certFile,
          allowed_private_ranges: ["127.0.0.0/8"],
          share_room_directory: true,
        },
      },
      {
        listeners: [{ bind: "127.0.0.1", port, apis: ["federation"], tls: { cert: certFile, key: keyFile } }],
      },
    );
    await process.start();
    return new Hearth(name, process);
  }

  get url(): string {
    return this.#process.url;
  }

  get folder(): string {
    return this.#process.folder;
  }

  get outputTail(): string {
    return this.#process.outputTail;
  }

  start(): Promise<void> {
    return this.#process.start();
  }

  async stop(): Promise<void> {
    await this.#process.end("SIGTERM");
  }

  async restart(meanwhile?: () => Promise<void>): Promise<void> {
    await this.stop();
    await meanwhile?.();
    await this.start();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]();
  }
}
