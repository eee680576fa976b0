import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { StartupError } from "../config/startup-error.ts";
import { testCertificate } from "../outbound/testing/certificate.ts";
import { systemClock } from "../telemetry/clock.ts";
import { composeOutbound } from "./outbound.ts";

t.test("certificates that cannot be used are named before anything is served", async (t) => {
  const folder = t.testdir({ "none.pem": "nonsense" });
  const good = join(folder, "good.pem");
  writeFileSync(good, testCertificate("one.test").cert + testCertificate("two.test").cert);
  const compose = (file: string) =>
    composeOutbound({ allowed_private_ranges: [], extra_ca_file: file }, systemClock);
  for (const name of ["none.pem", "missing.pem"]) {
    const file = join(folder, name);
    t.throws(
      () => compose(file),
      new StartupError("bad-tls", `${file} (extra_ca_file) cannot be read, or holds no certificate in PEM.`),
    );
  }
  t.doesNotThrow(() => compose(good)[Symbol.dispose]());
});
