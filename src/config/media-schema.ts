import { Type } from "../schema/type.ts";
import { nullable, outboundKeys } from "./schema-parts.ts";

/** The content repository, and what it fetches from elsewhere. */
export const mediaKeys = {
  media: Type.Object({
    max_upload_bytes: Type.Integer({
      description:
        "The largest file that a user may upload. Clients ask for this limit, and every upload is held to it.",
      default: 52_428_800,
      minimum: 0,
      maximum: 17_179_869_184,
    }),
    max_bytes_per_user: nullable(
      Type.Integer({ minimum: 0, maximum: 2 ** 50 }),
      "How much one user may upload in all; what is beyond is refused. null sets no bound.",
    ),
    retention_days: nullable(
      Type.Integer({ minimum: 1, maximum: 36_500 }),
      "Files that nobody has asked for in so many days are removed, but for avatars: for those who may not keep " +
        "data longer than it is of use, or whose disk is small. null keeps files for ever.",
    ),
    remote_cache_bytes: Type.Integer({
      description:
        "How much room files of other servers may take. Hearth keeps what its users have asked for; what nobody has " +
        "asked for longest goes first, and is fetched again when somebody does. A file of another server may be as " +
        "large as max_upload_bytes says.",
      default: 10_737_418_240,
      minimum: 104_857_600,
      maximum: 2 ** 50,
    }),
    remote_retention_days: nullable(
      Type.Integer({ minimum: 1, maximum: 36_500 }),
      "Files of other servers that nobody has asked for in so many days are removed, however much room there is: for " +
        "those who may not keep other people's data longer than it is of use. null keeps them as long as there is room.",
    ),
    keep_files_of_erased_users: Type.Boolean({
      description:
        "Whether files stay that were uploaded by users who have deactivated their accounts and asked for erasure. " +
        "They go within an hour otherwise, as the law of many countries demands; switch it on where what people " +
        "upload belongs to the organisation.",
      default: false,
    }),
    unauthenticated_downloads: Type.String({
      description:
        "Which files are also handed out to people without an account, by the paths of old clients and bridges " +
        "(/_matrix/media/v3/download): none, all, or those that were uploaded before a time such as " +
        "2026-01-31T00:00:00Z. Who knows a file's address can fetch it then.",
      default: "none",
      rule: "all-none-or-time",
    }),
  }),
  url_previews: Type.Object({
    enabled: Type.Boolean({
      description:
        "Whether users see what is behind a link: Hearth fetches pages that are linked in messages and tells title, " +
        "description and picture. The sites learn that somebody here has been sent the link.",
      default: false,
    }),
    denied: Type.Array(Type.String({ rule: "url-pattern" }), {
      description:
        "Sites that are never fetched: a host, or a host and a path, in which * stands for anything, such as " +
        "*.example.org or example.org/private/*.",
      default: [],
      maxItems: 1000,
    }),
    ...outboundKeys("linked sites"),
  }),
};
