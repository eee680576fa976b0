/** The Matrix protocol core, usable on its own: no I/O, no clock, no globals. */
export * from "./base64.ts";
export * from "./canonical-json.ts";
export * from "./ed25519.ts";
export * from "./errors.ts";
export * from "./event-builder.ts";
export * from "./event-encoding.ts";
export * from "./event-hash.ts";
export * from "./event-signing.ts";
export * from "./exact-number.ts";
export * from "./identifiers.ts";
export * from "./json-signing.ts";
export * from "./json.ts";
export * from "./pdu.ts";
export * from "./redaction.ts";
export * from "./room-event.ts";
export * from "./room-versions.ts";
export * from "./server-name.ts";
