import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Config } from "../config/schema.ts";
import { StartupError } from "../config/startup-error.ts";
import { AddressFilter } from "../outbound/address-filter.ts";
import { OutboundHttp } from "../outbound/outbound-http.ts";
import type { Clock } from "../telemetry/clock.ts";

/** The keys of the configuration that every kind of outbound connection has. */
export type OutboundConfig = Pick<Config["push"], "allowed_private_ranges" | "extra_ca_file">;

/**
 * A client for one purpose, such as push gateways: each has its own, since what one may reach is not open to the others.
 * @throws StartupError when the certificates cannot be used
 */
export function composeOutbound(config: OutboundConfig, clock: Clock): OutboundHttp {
  const { allowed_private_ranges: allowedRanges, extra_ca_file: caFile } = config;
  const extraCa = caFile === null ? undefined : readCertificates(caFile);
  return new OutboundHttp({ filter: new AddressFilter(allowedRanges), clock, extraCa });
}

function readCertificates(file: string): string {
  try {
    const text = readFileSync(file, "utf8");
    // Anything that is no certificate would be passed over in silence.
    void new X509Certificate(text);
    return text;
  } catch (error) {
    throw new StartupError(
      "bad-tls",
      `${file} (extra_ca_file) cannot be read, or holds no certificate in PEM.`,
      {
        cause: error,
      },
    );
  }
}
