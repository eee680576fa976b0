interface GatewayQueue<Item> {
  readonly waiting: Set<Item>;
  running: number;
}

/** A gateway that serves many users gets so many requests at once; one that hangs holds up no others. */
const maxRunningPerGateway = 16;
const maxRunning = 512;

/** Work for many gateways, of which each gets a share: what comes for one of them is done in its order. */
export class GatewayQueues<Item> {
  readonly #run: (item: Item) => Promise<void>;
  /** By origin. The next one to be served comes first. */
  readonly #gateways = new Map<string, GatewayQueue<Item>>();
  readonly #running = new Set<Promise<void>>();
  #closed = false;

  /** @param run does the work for an item; it must not throw */
  constructor(run: (item: Item) => Promise<void>) {
    this.#run = run;
  }

  /** Runs an item as soon as its gateway's turn has come. One that waits already goes on waiting. */
  add(origin: string, item: Item): void {
    const known = this.#gateways.get(origin);
    const gateway = known ?? { waiting: new Set(), running: 0 };
    if (!known) this.#gateways.set(origin, gateway);
    gateway.waiting.add(item);
    this.#serve(origin, gateway);
  }

  /** Begins nothing more, and waits for what has been begun. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#running);
  }

  #serve(origin: string, gateway: GatewayQueue<Item>): void {
    while (!this.#closed && gateway.running < maxRunningPerGateway && this.#running.size < maxRunning) {
      const [item] = gateway.waiting;
      if (item === undefined) return;
      gateway.waiting.delete(item);
      gateway.running += 1;
      const work = this.#run(item).finally(() => {
        gateway.running -= 1;
        this.#running.delete(work);
        this.#ended(origin, gateway);
      });
      this.#running.add(work);
    }
  }

  #ended(origin: string, gateway: GatewayQueue<Item>): void {
    // To the end of the line; a gateway that nobody asks for is forgotten.
    this.#gateways.delete(origin);
    if (gateway.running > 0 || gateway.waiting.size > 0) this.#gateways.set(origin, gateway);
    const wasFull = this.#running.size === maxRunning - 1;
    if (wasFull) this.#serveAll();
    else this.#serve(origin, gateway);
  }

  #serveAll(): void {
    for (const [origin, gateway] of this.#gateways) {
      if (this.#running.size >= maxRunning) return;
      this.#serve(origin, gateway);
    }
  }
}
