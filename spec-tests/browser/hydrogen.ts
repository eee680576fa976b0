import { strict as assert } from "node:assert";
import { join } from "node:path";
import { EventType, MsgType } from "matrix-js-sdk";
import type { EncryptedFile } from "matrix-js-sdk/lib/types.js";
import type { Browser, Locator, Page } from "playwright-core";
import sharp from "sharp";
import { decryptAttachment, encryptAttachment } from "../matrix-js-sdk/encrypted-attachment.ts";
import { Person, SdkDevice } from "../matrix-js-sdk/sdk-device.ts";
import { registerUser, type TestClient, testPassword } from "../support/client.ts";
import { ServerProcess } from "../support/server-process.ts";
import { until } from "../support/within.ts";
import { HydrogenSite } from "./hydrogen-site.ts";

// Alice has Hydrogen, a web client that still calls the r0 paths, in the browser; Bob has a client of the matrix-js-sdk.

/** Far above what anything takes, so that only what never happens runs into it, even on a busy machine. */
const timeoutMs = 180_000;
const roomName = "The hearth";

/** What the server has to refuse. */
const refusals = [
  // The wrong password.
  "POST /_matrix/client/r0/login: 403",
  // A proposal that was given up for another one.
  "GET /_matrix/client/unstable/org.matrix.msc2697.v2/dehydrated_device: 404",
];

/** Having made a room, Hydrogen looks for one without an ID: it does not wait for the room that it is making. */
const ownMistake = "RoomSummaryStore.has";

interface Scene {
  readonly page: Page;
  readonly bob: SdkDevice;
  /** Another session of Alice, which sees what the server knows of her. */
  readonly alice: TestClient;
  readonly screenshot: (name: string) => Promise<void>;
}

const steps: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "logging in": logIn,
  "making an encrypted room and inviting somebody": makeRoom,
  "texts both ways, one of them a reply": exchangeTexts,
  "encrypted pictures both ways": exchangePictures,
  "everything is there after the page is loaded anew": reload,
  "logging out ends the session": logOut,
};

/**
 * Hydrogen against a server of its own.
 * @param pictures folder for screenshots
 */
export async function testHydrogen(browser: Browser, pictures: string): Promise<void> {
  await using server = await ServerProcess.start();
  await using site = await HydrogenSite.start(server.url);
  const alice = await registerUser(server, "alice");
  const bob = await SdkDevice.register(server, new Person("bob"));
  const context = await browser.newContext({ viewport: { width: 1100, height: 760 } });
  context.setDefaultTimeout(timeoutMs);
  const page = await context.newPage();
  const failures = watch(page);
  const screenshot = async (name: string) => {
    await page.screenshot({ path: join(pictures, `hydrogen-${name}.png`) });
  };
  try {
    await page.goto(site.url);
    for (const [name, step] of Object.entries(steps)) {
      await step({ page, bob, alice, screenshot });
      console.log(`ok - Hydrogen: ${name}`);
    }
    assert.deepEqual(failures, []);
    assert.deepEqual(server.complaints, []);
  } catch (error) {
    await screenshot("failure");
    console.error([...failures, ...server.complaints].join("\n"));
    throw error;
  } finally {
    bob.stop();
    await context.close();
  }
}

/** Gathers what the server has refused, but for what it should, and what the page complains of. */
function watch(page: Page): string[] {
  const failures: string[] = [];
  page.on("response", (response) => {
    const { pathname } = new URL(response.url());
    const failure = `${response.request().method()} ${pathname}: ${response.status()}`;
    if (response.status() >= 400 && !refusals.includes(failure)) failures.push(failure);
  });
  page.on("pageerror", ({ message, stack = message }) => {
    if (!stack.includes(ownMistake)) failures.push(stack);
  });
  page.on("console", (message) => {
    // Of what the server refuses it is known which request it was.
    const isAnswer = message.text().startsWith("Failed to load resource: the server responded");
    if (message.type() === "error" && !isAnswer) failures.push(message.text());
  });
  return failures;
}

async function logIn({ page, screenshot }: Scene): Promise<void> {
  await page.getByLabel("Username").fill("alice");
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Log In" }).click();
  await page.getByText("don't seem to be correct").waitFor();
  await page.getByLabel("Password").fill(testPassword);
  await screenshot("login");
  await page.getByRole("button", { name: "Log In" }).click();
  await page.getByRole("button", { name: "Create room" }).waitFor();
}

async function makeRoom({ page, bob, screenshot }: Scene): Promise<void> {
  await page.getByRole("button", { name: "Create room" }).click();
  await page.getByRole("button", { name: "Create Room", exact: true }).click();
  await page.getByLabel("Room name").fill(roomName);
  assert.ok(await page.getByLabel("Enable end-to-end encryption").isChecked());
  await page.locator("form").getByRole("button", { name: "Create room" }).click();
  // Hydrogen then opens a room without an ID.
  await page.locator(".RoomList").getByText(roomName).click();
  await page.getByPlaceholder("Send an encrypted message…").waitFor();
  await page.getByRole("button", { name: "Room options" }).click();
  await page.getByRole("button", { name: "Room details" }).click();
  await page.getByRole("button", { name: "People" }).click();
  await page.getByRole("button", { name: "Invite to this room" }).click();
  await page.getByPlaceholder("Enter user-id of user").fill(bob.userId);
  await page.getByRole("button", { name: "Invite", exact: true }).click();
  await page.getByText("was invited to the room by alice").waitFor();
  await screenshot("room");
  const [room] = bob.client.getRooms();
  assert.equal(room?.name, roomName);
  await bob.client.joinRoom(room.roomId);
  await page.getByText("bob joined the room").waitFor();
}

async function exchangeTexts({ page, bob, screenshot }: Scene): Promise<void> {
  const [room] = bob.client.getRooms();
  assert.ok(room);
  await page.getByPlaceholder("Send an encrypted message…").fill("Is it warm?");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  const question = await sent(messageOf(page, ".own", "Is it warm?"));
  const heard = await bob.sees(room.roomId, question);
  assert.equal(heard.getContent()["body"], "Is it warm?");
  assert.ok(heard.isEncrypted());
  await bob.client.sendMessage(room.roomId, {
    msgtype: MsgType.Text,
    body: "It is warm.",
    "m.relates_to": { "m.in_reply_to": { event_id: question } },
  });
  const reply = messageOf(page, ":not(.own)", "It is warm.");
  await reply.locator(".ReplyPreviewView").getByText("Is it warm?").waitFor();
  await screenshot("texts");
}

async function exchangePictures({ page, bob, screenshot }: Scene): Promise<void> {
  const [room] = bob.client.getRooms();
  assert.ok(room);
  const fire = await drawing("#f08a24", "#7a1f0a", 900);
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Send file" }).click();
  await page.getByRole("button", { name: "Send picture" }).click();
  await (await chooser).setFiles({ name: "fire.png", mimeType: "image/png", buffer: fire });
  const hers = page.locator("li.own", { has: page.getByAltText("fire.png") });
  const { file, info } = (await bob.sees(room.roomId, await sent(hers))).getContent<{
    file: EncryptedFile;
    info: { thumbnail_file: EncryptedFile };
  }>();
  assert.ok((await fetched(bob, file)).equals(fire), "the picture arrives as it was sent");
  const thumbnail = await sharp(await fetched(bob, info.thumbnail_file)).metadata();
  assert.equal(thumbnail.width, 400);

  const water = await drawing("#6ec6e8", "#0b3d91", 500);
  const { encrypted, info: how } = await encryptAttachment(new Uint8Array(water));
  const upload = await bob.client.uploadContent(new Blob([encrypted]), { type: "application/octet-stream" });
  const { event_id: eventId } = await bob.client.sendEvent(room.roomId, EventType.RoomMessage, {
    msgtype: MsgType.Image,
    body: "water.png",
    file: { ...how, url: upload.content_uri },
    info: { mimetype: "image/png", size: water.length, w: 500, h: 375 },
  });
  await shown(page.locator(`li[data-event-id="${eventId}"] img[alt="water.png"]`), 500);
  await shown(hers.getByAltText("fire.png"), 400);
  await screenshot("pictures");
}

async function reload({ page, screenshot }: Scene): Promise<void> {
  await page.reload();
  await messageOf(page, ".own", "Is it warm?").waitFor();
  await messageOf(page, ":not(.own)", "It is warm.").waitFor();
  await shown(page.getByAltText("water.png"), 500);
  await shown(page.getByAltText("fire.png"), 400);
  // Hydrogen tells what has been read when a room was open for some seconds.
  await page.locator(".RoomList .badge:not(.hidden)").waitFor({ state: "detached" });
  await screenshot("reloaded");
}

async function logOut({ page, alice, screenshot }: Scene): Promise<void> {
  const devices = async () => {
    const { body } = await alice.get("/_matrix/client/v3/devices", "getDevices");
    return (body["devices"] as { display_name?: string }[]).map(({ display_name: name }) => name);
  };
  assert.ok((await devices()).includes("Hydrogen"));
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByText("Are you sure you want to log out?").waitFor();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("link", { name: "Sign In" }).waitFor();
  await screenshot("logged-out");
  assert.ok(!(await devices()).includes("Hydrogen"));
}

/** @param whose ".own", or ":not(.own)" */
function messageOf(page: Page, whose: string, text: string): Locator {
  // What is quoted in a reply is a message too, but one that nothing can be done with.
  return page.locator(`li.Timeline_message${whose}:not(.disabled)`, { hasText: text });
}

/** Waits until the server has accepted a message. @returns its event ID */
async function sent(own: Locator): Promise<string> {
  const accepted = own.and(own.page().locator('[data-event-id^="$"]:not(.unsent)'));
  await accepted.waitFor();
  return (await accepted.getAttribute("data-event-id")) ?? assert.fail("a message without an ID");
}

/** Waits until a picture has been fetched, decrypted and drawn. */
async function shown(picture: Locator, widthPx: number): Promise<void> {
  const drawnWidthPx = (image: { complete: boolean; naturalWidth: number }) =>
    image.complete ? image.naturalWidth : 0;
  await until(timeoutMs, `a picture of ${widthPx} pixels`, async () => {
    return (await picture.evaluate(drawnWidthPx)) === widthPx;
  });
}

/** A picture that a human can tell from others, four to three. */
function drawing(light: string, dark: string, widthPx: number): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 30" width="${widthPx}">
    <rect width="40" height="30" fill="${dark}"/><path d="M20 3C30 14 30 27 20 27S10 14 20 3" fill="${light}"/></svg>`;
  return sharp(Buffer.from(svg)).png().toBuffer();
}

async function fetched(device: SdkDevice, file: EncryptedFile): Promise<Buffer> {
  const response = await device.download(file.url);
  return Buffer.from(await decryptAttachment(await response.arrayBuffer(), file));
}
