import { Progress, Stack, Text } from "@mantine/core";
import type { Job, JobState } from "../api/jobs.ts";
import { path } from "../api/matrix-api.ts";
import { useSession } from "../session/session-context.ts";
import { useTexts } from "../texts/texts-context.ts";
import { ConfirmButton } from "./confirm-button.tsx";
import { type Column, PagedTable } from "./data-table.tsx";
import { useFormat } from "./format.ts";
import type { Pages } from "./use-pages.ts";
import { Mark } from "./user-badges.tsx";

const colours: Readonly<Record<JobState, string>> = {
  waiting: "gray",
  running: "indigo",
  done: "teal",
  failed: "red",
  cancelled: "orange",
};

/** Jobs, how far they are, and a button that ends those that are under way. */
export function JobList({ pages }: { readonly pages: Pages<Job> }) {
  const { nav, jobs: texts } = useTexts();
  const format = useFormat();
  const session = useSession();
  const columns: Column<Job>[] = [
    { title: texts.kind, cell: ({ kind }) => texts.kinds[kind] ?? kind },
    { title: texts.subject, cell: ({ subject }) => subject },
    {
      title: texts.state,
      cell: ({ state, error }) => (
        <>
          <Mark color={colours[state]} text={texts.states[state]} />
          {error !== null && <Text size="sm">{error}</Text>}
        </>
      ),
    },
    { title: texts.progress, cell: (job) => <JobProgress job={job} /> },
    { title: texts.by, cell: (job) => job.created_by },
    { title: texts.created, cell: (job) => format.time(job.created_ts) },
    { title: texts.ended, cell: (job) => format.time(job.ended_ts) },
    {
      title: texts.cancel,
      cell: ({ id, state }) =>
        (state === "running" || state === "waiting") && (
          <ConfirmButton
            size="xs"
            label={texts.cancel}
            explanation={texts.cancelExplained}
            done={texts.cancelled}
            after={pages.reload}
            doIt={() => session.send("POST", path`/_hearth/admin/v1/jobs/${id}/cancel`)}
          />
        ),
    },
  ];
  return (
    <PagedTable label={nav.jobs} pages={pages} keyOf={({ id }) => id} columns={columns} empty={texts.none} />
  );
}

function JobProgress({ job: { state, done, total, kind } }: { readonly job: Job }) {
  const { jobs: texts } = useTexts();
  const format = useFormat();
  const isEnded = state !== "running" && state !== "waiting";
  const percent =
    state === "done" ? 100 : total === null || total === 0 ? 0 : Math.min(100, (100 * done) / total);
  const text =
    total === null ? format.number(done) : texts.progressOf(format.number(done), format.number(total));
  return (
    <Stack gap={4} className="progress">
      <Progress
        value={state === "running" && total === null ? 100 : percent}
        animated={state === "running"}
        color={isEnded ? colours[state] : "indigo"}
        aria-label={`${texts.kinds[kind] ?? kind}: ${text}`}
      />
      <Text size="xs" className="number">
        {text}
      </Text>
    </Stack>
  );
}
