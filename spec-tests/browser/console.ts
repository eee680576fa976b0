import { strict as assert } from "node:assert";
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import axe from "axe-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { buildConsole } from "../../scripts/console.ts";
import { startBrowserServer } from "../support/browser-server.ts";
import { registerAdmin, registerUser, testPassword } from "../support/client.ts";
import { createRoom, say } from "../support/rooms.ts";
import type { TestServer } from "../support/server.ts";

// The console for administrators: signing in, its acts, and how each page looks and can be used.

const timeoutMs = 30_000;
/** Where a server that runs from its source looks for it. */
const built = join(import.meta.dirname, "../../dist/console");

interface Scene {
  readonly server: TestServer;
  readonly browser: Browser;
  readonly pictures: string;
}

/** What the page has refused to do by its own policy, other complaints of the browser, and those of axe. */
const complaints: string[] = [];

const tests: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "an account that is no administrator's is refused, and signed out again": refuseUsers,
  "a user is made, locked and found in the audit log": makeUser,
  "a room is deleted, which its progress tells": deleteRoom,
  "every page in both languages, light and dark, without faults of accessibility": showAll,
  "by the keyboard alone": useKeyboard,
};

/** @param pictures folder for screenshots */
export async function testConsole(browser: Browser, pictures: string): Promise<void> {
  rmSync(built, { recursive: true, force: true });
  mkdirSync(dirname(built), { recursive: true });
  await buildConsole(built);
  await using server = await startBrowserServer();
  const admin = await registerAdmin(server, "root");
  const alice = await registerUser(server, "alice");
  for (const name of ["Wards", "Canteen", "IT support"]) {
    const roomId = await createRoom(alice, {
      name,
      topic: "What everybody should know",
      preset: "public_chat",
    });
    for (const text of ["Good morning", "Hello"]) await say(alice, roomId, text);
  }
  await admin.get("/_hearth/admin/v1/jobs");
  for (const [name, test] of Object.entries(tests)) {
    await test({ server, browser, pictures });
    assert.deepEqual(complaints, [], name);
    console.log(`ok - ${name}`);
  }
}

async function openConsole({ server, browser }: Scene, options: object = {}): Promise<Page> {
  const context: BrowserContext = await browser.newContext({ locale: "en-GB", ...options });
  context.setDefaultTimeout(timeoutMs);
  context.on("console", (message) => {
    // That something was refused is what some of it tries out.
    const isRefusal = message
      .text()
      .startsWith("Failed to load resource: the server responded with a status of 4");
    if (message.type() === "error" && !isRefusal) complaints.push(message.text());
  });
  context.on("weberror", (error) => complaints.push(String(error.error())));
  const page = await context.newPage();
  await page.goto(`${server.url}/_hearth/console`);
  return page;
}

async function signIn(page: Page, username: string): Promise<void> {
  await page.locator("input[name=username]").fill(username);
  await page.locator("input[name=password]").fill(testPassword);
  await page.locator("button[type=submit]").click();
}

/** Goes to a page of the console and waits for what it shows. */
async function goTo(page: Page, path: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(`#/${path}`)}`);
  await page.locator("h1").waitFor();
  await page.locator(".mantine-Loader-root").first().waitFor({ state: "detached" });
}

async function refuseUsers(scene: Scene): Promise<void> {
  const page = await openConsole(scene);
  await signIn(page, "alice");
  await page.getByRole("alert").getByText("not an administrator").waitFor();
  await page.screenshot({ path: join(scene.pictures, "console-refused.png") });
  await page.context().close();
}

async function makeUser(scene: Scene): Promise<void> {
  const page = await openConsole(scene);
  await signIn(page, "root");
  await goTo(page, "users");
  await page.getByRole("button", { name: "New user" }).click();
  await page.getByLabel("Username").fill("bob");
  await page.getByRole("button", { name: "Make one" }).click();
  await page.screenshot({ path: join(scene.pictures, "console-new-user.png") });
  await page.getByRole("dialog").getByRole("button", { name: "New user" }).click();
  await page.getByText("The account has been made.").waitFor();
  await page.getByRole("link", { name: "@bob:hearth.test" }).click();
  await page.getByRole("button", { name: "Lock", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Lock", exact: true }).click();
  await page.getByText("locked", { exact: true }).waitFor();
  await goTo(page, "audit");
  await page.getByRole("button", { name: "Show" }).first().click();
  await page.getByRole("dialog").getByText('"locked": true').first().waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Check the log" }).click();
  await page.getByText(/The log is whole/).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("You have been signed out.").first().waitFor();
  await page.context().close();
}

async function deleteRoom(scene: Scene): Promise<void> {
  const page = await openConsole(scene);
  await signIn(page, "root");
  await goTo(page, "rooms");
  await page.getByRole("link", { name: "Canteen" }).click();
  await page.getByText("What everybody should know").waitFor();
  await page.getByRole("button", { name: "Delete room" }).click();
  await page.screenshot({ path: join(scene.pictures, "console-delete-room.png") });
  await page.getByRole("dialog").getByRole("button", { name: "Delete room" }).click();
  await page.getByRole("progressbar", { name: /^Delete a room/ }).waitFor();
  await page.getByText("done", { exact: true }).waitFor();
  await page.screenshot({ path: join(scene.pictures, "console-room-deleted.png") });
  await page.context().close();
}

async function showAll(scene: Scene): Promise<void> {
  for (const [locale, look] of [
    ["en-GB", "light"],
    ["zh-CN", "dark"],
  ] as const) {
    const page = await openConsole(scene, { locale, colorScheme: look });
    await page.locator("input[name=username]").waitFor();
    await check(page, scene, `sign-in-${locale}-${look}`);
    await signIn(page, "root");
    await page.locator("nav").waitFor();
    const links = await page.locator("nav a").all();
    const paths = await Promise.all(links.map(async (link) => (await link.getAttribute("href"))?.slice(2)));
    for (const path of paths as string[]) {
      await goTo(page, path);
      await check(page, scene, `${path}-${locale}-${look}`);
    }
    await goTo(page, "users/%40alice%3Ahearth.test");
    await check(page, scene, `user-${locale}-${look}`);
    await goTo(page, "rooms");
    await page.getByRole("link", { name: "Wards" }).click();
    await page.getByText("What everybody should know").waitFor();
    await check(page, scene, `room-${locale}-${look}`);
    await page.context().close();
  }
  const phone = await openConsole(scene, { viewport: { width: 360, height: 740 } });
  await signIn(phone, "root");
  await goTo(phone, "users");
  await check(phone, scene, "users-phone");
  await phone.context().close();
}

/** Takes a picture, and has the page looked at by axe. */
async function check(page: Page, { pictures }: Scene, name: string): Promise<void> {
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(pictures, `console-${name}.png`), fullPage: true });
  await page.evaluate(axe.source);
  const faults = await page.evaluate(async () => {
    const found = await (globalThis as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run();
    return found.violations.map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .map(({ html }) => html)
          .slice(0, 3)
          .join(" ")}`,
    );
  });
  complaints.push(...faults.map((fault) => `${name}: ${fault}`));
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

async function useKeyboard(scene: Scene): Promise<void> {
  const page = await openConsole(scene);
  await signIn(page, "root");
  await page.locator("nav").waitFor();
  // The first of the page, before the title to which the focus has gone.
  await page.locator("a.skip").focus();
  assert.ok(((await page.locator("a.skip").boundingBox())?.x ?? -1) >= 0, "the skip link can be seen");
  await page.keyboard.press("Enter");
  await page.locator("#content:focus").waitFor();
  await page.getByRole("link", { name: "Users" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Users" }).waitFor();
  await page.locator("h1:focus").waitFor();
  await page.getByRole("button", { name: "New user" }).press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await page.locator("button:focus").getByText("New user").waitFor();
  await page.context().close();
}
