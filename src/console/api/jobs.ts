import type { Page } from "../parts/use-pages.ts";
import type { Session } from "../session/session.ts";

export const jobStates = ["waiting", "running", "done", "failed", "cancelled"] as const;
export type JobState = (typeof jobStates)[number];

export interface Job {
  readonly id: string;
  readonly kind: string;
  readonly subject: string;
  readonly state: JobState;
  readonly created_by: string;
  readonly created_ts: number;
  readonly ended_ts: number | null;
  readonly done: number;
  readonly total: number | null;
  readonly error: string | null;
}

interface JobWish {
  readonly state?: string | undefined;
  readonly subject?: string | undefined;
  readonly from?: string | undefined;
  readonly limit?: number;
}

export async function listJobs(session: Session, wish: JobWish, signal: AbortSignal): Promise<Page<Job>> {
  const { jobs, next_token: next } = await session.get<{ jobs: Job[]; next_token?: string }>(
    "/_hearth/admin/v1/jobs",
    { limit: 50, ...wish },
    signal,
  );
  return { rows: jobs, next };
}
