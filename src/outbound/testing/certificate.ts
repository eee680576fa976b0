import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** A key and its self-signed certificate, both in PEM. */
export interface TestCertificate {
  readonly key: string;
  readonly cert: string;
}

const day = 24 * 60 * 60 * 1000;
const tags = { integer: 2, bits: 3, bytes: 4, oid: 6, text: 12, utcTime: 23, sequence: 48, set: 49 } as const;
/** Object identifiers in DER: ecdsa-with-SHA256, commonName, subjectAltName, basicConstraints. */
const oids = {
  ecdsaWithSha256: "2a8648ce3d040302",
  commonName: "550403",
  subjectAltName: "551d11",
  basicConstraints: "551d13",
} as const;

/** Makes a certificate for host names and IPv4 addresses, for servers of tests: whoever trusts it can reach them. */
export function testCertificate(...hosts: readonly string[]): TestCertificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  // Who trusts several tells them apart by their names.
  const commonName = `Hearth test ${randomBytes(8).toString("hex")}`;
  const algorithm = sequence(oid("ecdsaWithSha256"));
  const name = sequence(der(tags.set, sequence(oid("commonName"), der(tags.text, Buffer.from(commonName)))));
  const body = sequence(
    der(0xa0, der(tags.integer, Buffer.of(2))),
    der(tags.integer, Buffer.of(1)),
    algorithm,
    name,
    sequence(time(Date.now() - day), time(Date.now() + day)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(
      0xa3,
      sequence(
        extension("subjectAltName", sequence(...hosts.map(alternativeName))),
        extension("basicConstraints", sequence(Buffer.of(1, 1, 0xff))),
      ),
    ),
  );
  const signature = sign("sha256", body, privateKey);
  const certificate = sequence(body, algorithm, der(tags.bits, Buffer.of(0), signature));
  const lines = certificate.toString("base64").replaceAll(/(.{64})(?=.)/g, "$1\n");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(tags.sequence, ...parts);
}

function oid(name: keyof typeof oids): Buffer {
  return der(tags.oid, Buffer.from(oids[name], "hex"));
}

function time(ts: number): Buffer {
  const digits = new Date(ts).toISOString().replaceAll(/\D/g, "").slice(2, 14);
  return der(tags.utcTime, Buffer.from(`${digits}Z`));
}

function extension(name: keyof typeof oids, value: Buffer): Buffer {
  return sequence(oid(name), der(tags.bytes, value));
}

function alternativeName(host: string): Buffer {
  const isIpv4 = /^[0-9.]+$/.test(host);
  return isIpv4 ? der(0x87, Buffer.from(host.split(".").map(Number))) : der(0x82, Buffer.from(host));
}
