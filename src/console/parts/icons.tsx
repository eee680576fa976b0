import type { ReactNode } from "react";

/** Drawn on a field of 24 by 24, in lines. */
const drawings = {
  overview: <path d="M3 12h4l3-8 4 16 3-8h4" />,
  users: (
    <>
      <circle cx="9" cy="8" r="4" />
      <path d="M2 21c0-4 3-7 7-7s7 3 7 7M16 4a4 4 0 0 1 0 8M18 14c3 1 4 4 4 7" />
    </>
  ),
  rooms: <path d="M4 4h16v12H9l-5 4V4Z" />,
  media: (
    <>
      <rect x="3" y="4" width="18" height="16" rx="2" />
      <path d="m4 18 5-6 4 4 3-3 4 5" />
    </>
  ),
  reports: <path d="M5 21V4h13l-3 4 3 5H5" />,
  federation: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M3 12h18M12 3c3 3 4 6 4 9s-1 6-4 9c-3-3-4-6-4-9s1-6 4-9Z" />
    </>
  ),
  tokens: (
    <>
      <circle cx="8" cy="15" r="5" />
      <path d="m12 11 8-8m-4 4 3 3" />
    </>
  ),
  appservices: <path d="M8 3v5m8-5v5M6 8h12v4a6 6 0 0 1-12 0V8Zm6 10v3" />,
  jobs: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M12 7v5l3 3" />
    </>
  ),
  audit: <path d="M6 3h9l4 4v14H6V3Zm4 8h5m-5 4h5" />,
  config: <path d="M4 7h9m4 0h3M4 17h3m4 0h9M15 4v6M9 14v6" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof drawings;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg
      aria-hidden="true"
      width="20"
      height="20"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {drawings[name]}
    </svg>
  );
}
