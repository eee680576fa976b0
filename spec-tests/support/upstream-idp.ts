import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { endWithTest } from "./child-process.ts";
import { within } from "./within.ts";

const mainFile = join(import.meta.dirname, "upstream-idp-main.ts");
const startTimeoutMs = 60_000;

export interface IdpSettings {
  readonly person?: { readonly sub: string; readonly [claim: string]: unknown };
  readonly refuses?: boolean;
  readonly skewMs?: number;
  readonly hangs?: boolean;
  readonly hidesKeys?: boolean;
  readonly newKey?: boolean;
}

/** An OpenID Connect provider that runs as a process of its own. */
export interface UpstreamIdp extends AsyncDisposable {
  readonly issuer: string;
  set(settings: IdpSettings): Promise<void>;
}

export const idpClient = { client_id: "hearth", client_secret: "the client's secret: it has + and &" };

/** @param redirectUri where it may send browsers back to */
export async function startIdp(redirectUri: string): Promise<UpstreamIdp> {
  const client = { ...idpClient, redirect_uris: [redirectUri] };
  const child = spawn(process.execPath, [mainFile, JSON.stringify(client)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  endWithTest(child);
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout });
  const [issuer] = (await within(startTimeoutMs, () => "the provider to start", once(lines, "line"))) as [
    string,
  ];
  return {
    issuer,
    async set(settings) {
      const response = await fetch(`${issuer}/settings`, { method: "POST", body: JSON.stringify(settings) });
      if (!response.ok) throw new Error(`the provider took no settings: ${response.status}`);
      await response.text();
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
