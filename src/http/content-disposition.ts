/** Client-server API, "Serving inline content": types that browsers can show without running anything in them. */
const inlineTypes: ReadonlySet<string> = new Set([
  "text/css",
  "text/plain",
  "text/csv",
  "application/json",
  "application/ld+json",
  "image/jpeg",
  "image/gif",
  "image/png",
  "image/apng",
  "image/webp",
  "image/avif",
  "video/mp4",
  "video/webm",
  "video/ogg",
  "video/quicktime",
  "audio/mp4",
  "audio/webm",
  "audio/aac",
  "audio/mpeg",
  "audio/ogg",
  "audio/wave",
  "audio/wav",
  "audio/x-wav",
  "audio/x-pn-wav",
  "audio/flac",
  "audio/x-flac",
]);

/** The `Content-Disposition` of a file of a type: shown in place where that is safe, offered for saving else. */
export function contentDisposition(contentType: string, filename: string | null): string {
  const [essence = ""] = contentType.split(";");
  const disposition = inlineTypes.has(essence.trim().toLowerCase()) ? "inline" : "attachment";
  return filename === null ? disposition : `${disposition}; ${filenameParameter(filename)}`;
}

/** RFC 6266: plain names in quotes, others percent-encoded (RFC 8187). */
function filenameParameter(filename: string): string {
  if (/^[\x20-\x7e]*$/.test(filename) && !/["\\%]/.test(filename)) return `filename="${filename}"`;
  const encoded = encodeURIComponent(filename.toWellFormed()).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `filename*=utf-8''${encoded}`;
}
