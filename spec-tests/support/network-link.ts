import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** The way from one server to another, as a port of the loopback address that passes everything on until it is cut. */
export class NetworkLink implements AsyncDisposable {
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((from) => this.#pass(from));
  }

  static async open(targetPort: number): Promise<NetworkLink> {
    const link = new NetworkLink(targetPort);
    link.#server.listen(0, "127.0.0.1");
    await once(link.#server, "listening");
    return link;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the link is closed");
    return address.port;
  }

  /** Ends what is under way, in the middle of it, and lets nothing through from now on. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  heal(): void {
    this.#isCut = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #pass(from: Socket): void {
    if (this.#isCut) {
      from.destroy();
      return;
    }
    const to = connect(this.#targetPort, "127.0.0.1");
    const pair = [from, to];
    for (const socket of pair) {
      this.#sockets.add(socket);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        for (const each of pair) each.destroy();
      });
      // What has failed is closed next.
      socket.once("error", () => socket.destroy());
    }
    from.pipe(to).pipe(from);
  }
}
