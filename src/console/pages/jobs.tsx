import { Group, NativeSelect } from "@mantine/core";
import { useState } from "react";
import { jobStates, listJobs } from "../api/jobs.ts";
import { JobList } from "../parts/job-list.tsx";
import { PageFrame } from "../parts/page-frame.tsx";
import { usePages } from "../parts/use-pages.ts";
import { useSession } from "../session/session-context.ts";
import { useTexts } from "../texts/texts-context.ts";

const everyMs = 2_000;

export function JobsPage() {
  const { nav, jobs: texts, common } = useTexts();
  const session = useSession();
  const [state, setState] = useState("");
  const pages = usePages((from, signal) => listJobs(session, { state, from }, signal), state, everyMs);
  const states = jobStates.map((value) => ({ value, label: texts.states[value] }));
  return (
    <PageFrame title={nav.jobs}>
      <Group>
        <NativeSelect
          label={texts.filter}
          value={state}
          data={[{ value: "", label: common.all }, ...states]}
          onChange={({ currentTarget }) => setState(currentTarget.value)}
        />
      </Group>
      <JobList pages={pages} />
    </PageFrame>
  );
}
