import t from "tap";
import { mediaStoreContract } from "../contract/media.ts";
import { remoteMediaStoreContract } from "../contract/remote-media.ts";
import { urlPreviewStoreContract } from "../contract/url-previews.ts";
import { freshDatabases } from "./testing/fresh-databases.ts";

const open = freshDatabases(t.testdir());

mediaStoreContract(t, open);
remoteMediaStoreContract(t, open);
urlPreviewStoreContract(t, open);
