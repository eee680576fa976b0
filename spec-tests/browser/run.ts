import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { testConsole } from "./console.ts";
import { testHydrogen } from "./hydrogen.ts";
import { testSignIn } from "./sign-in.ts";

// Tests in a real browser: `npm run test:browser`, or some of them: `npm run test:browser -- hydrogen`. It takes Chromium,
// such as Debian's (apt install chromium); CHROMIUM names another one. Pictures of the pages go to data/screenshots.

const chromiumPath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const pictures = join(import.meta.dirname, "../../data/screenshots");

const suites: Readonly<Record<string, (browser: Browser, pictures: string) => Promise<void>>> = {
  "sign-in": testSignIn,
  hydrogen: testHydrogen,
  console: testConsole,
};

if (!existsSync(chromiumPath))
  throw new Error(`There is no ${chromiumPath}: install Chromium, or set CHROMIUM.`);
mkdirSync(pictures, { recursive: true });
const asked = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: chromiumPath,
  args: ["--no-sandbox"],
  timeout: 180_000,
});
try {
  for (const name of asked.length > 0 ? asked : Object.keys(suites)) {
    const test = suites[name];
    if (!test) throw new Error(`There is no ${name}, only ${Object.keys(suites).join(", ")}.`);
    await test(browser, pictures);
  }
} finally {
  await browser.close();
}
