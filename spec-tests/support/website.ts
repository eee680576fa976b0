import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import { join } from "node:path";

/** What a website answers under a path. */
export interface SitePage {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** How often the body is sent. */
  readonly repeated?: number;
  /** The answer never ends. */
  readonly isStuck?: boolean;
}

export interface Visit {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** What the process says. */
export type WebsiteMessage =
  | { readonly port: number }
  | { readonly served: string }
  | { readonly visited: Visit };

const program = join(import.meta.dirname, "website-process.ts");

/** A web server in a process of its own, on an address of this machine. */
export class Website implements AsyncDisposable {
  readonly origin: string;
  readonly #visits: Visit[] = [];
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, origin: string) {
    this.#process = child;
    this.origin = origin;
    child.on("message", (message: WebsiteMessage) => {
      if ("visited" in message) this.#visits.push(message.visited);
    });
  }

  static async start(address = "127.0.0.1"): Promise<Website> {
    const child = fork(program, [address], { serialization: "advanced" });
    const [message] = (await once(child, "message")) as [WebsiteMessage];
    if (!("port" in message)) throw new Error("the website did not say where it is");
    return new Website(child, `http://${address}:${message.port}`);
  }

  /** Serves a page from now on. Returns its URL. */
  async serve(path: string, page: SitePage): Promise<string> {
    const served = new Promise<void>((resolve) => {
      const heard = (message: WebsiteMessage) => {
        if (!("served" in message) || message.served !== path) return;
        this.#process.off("message", heard);
        resolve();
      };
      this.#process.on("message", heard);
    });
    this.#process.send([path, page]);
    await served;
    return this.origin + path;
  }

  /** As `serve`, for HTML. */
  html(path: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    return this.serve(path, { headers: { "Content-Type": "text/html; charset=utf-8", ...headers }, body });
  }

  /** Everybody who has come so far, or has come for one path. */
  async visits(path?: string): Promise<readonly Visit[]> {
    // What the process answers now comes after all that it has told before.
    await this.serve("/any", {});
    return this.#visits.filter((visit) => path === undefined || visit.path === path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.disconnect();
    await ended;
  }
}
