/** What a user has reported to the administrators. */
export interface NewReport {
  readonly reporterNid: number;
  /** Set for a reported room and for a reported event. */
  readonly roomNid: number | null;
  readonly eventId: string | null;
  /** Set for a reported user. */
  readonly userNid: number | null;
  readonly reason: string;
  /** From -100 (most offensive) to 0, as older clients send it with an event. */
  readonly score: number | null;
  readonly createdTs: number;
}

export interface Report extends NewReport {
  readonly reportId: number;
}

/** How many reports are kept at most. */
export interface ReportBounds {
  readonly ofReporter: number;
  readonly inAll: number;
}

/** Reports that wait for an administrator. */
export interface ReportStore {
  /** Stores a report; the oldest ones beyond the bounds go. */
  add(report: NewReport, bounds: ReportBounds): Promise<void>;
  find(reportId: number): Promise<Report | undefined>;
  /** The newest first, with an ID below `before`. */
  list(before: number, limit: number): Promise<readonly Report[]>;
  /** Returns false when there is no such report. */
  remove(reportId: number): Promise<boolean>;
}
