import "@mantine/core/styles.css";
import "@mantine/charts/styles.css";
import "./console.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { takeLoginToken } from "./session/sign-on.ts";

declare global {
  /** Where a package that makes style sheets looks for the nonce. */
  var __webpack_nonce__: string | undefined;
}

const styleNonce = document.querySelector<HTMLMetaElement>("meta[name=style-nonce]")?.content ?? "";
globalThis.__webpack_nonce__ = styleNonce;
const root = document.getElementById("root");
if (!root) throw new Error("The page has no place for the console");
createRoot(root).render(
  <StrictMode>
    <App styleNonce={styleNonce} returned={takeLoginToken()} />
  </StrictMode>,
);
