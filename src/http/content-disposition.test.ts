import t from "tap";
import { contentDisposition } from "./content-disposition.ts";

t.test("only what is safe to look at is shown in place", async (t) => {
  for (const type of ["image/png", "IMAGE/PNG", "text/plain; charset=utf-8", "video/mp4", "audio/x-flac"]) {
    t.equal(contentDisposition(type, null), "inline", type);
  }
  for (const type of [
    "text/html",
    "image/svg+xml",
    "application/pdf",
    "application/octet-stream",
    "",
    "image/png2",
  ]) {
    t.equal(contentDisposition(type, null), "attachment", type);
  }
});

t.test("names arrive as they were given", async (t) => {
  const parameter = (name: string) => contentDisposition("image/png", name);
  t.equal(parameter("cat.png"), 'inline; filename="cat.png"');
  t.equal(parameter("my cat; and dog.png"), 'inline; filename="my cat; and dog.png"');
  t.equal(parameter('a "cat".png'), "inline; filename*=utf-8''a%20%22cat%22.png");
  t.equal(parameter("100%.png"), "inline; filename*=utf-8''100%25.png");
  t.equal(parameter("Käse.png"), "inline; filename*=utf-8''K%C3%A4se.png");
  t.equal(parameter("🐈 (1).png"), "inline; filename*=utf-8''%F0%9F%90%88%20%281%29.png");
  t.equal(parameter("a\r\nSet-Cookie: b"), "inline; filename*=utf-8''a%0D%0ASet-Cookie%3A%20b");
  t.equal(parameter("\ud800"), "inline; filename*=utf-8''%EF%BF%BD");
});
