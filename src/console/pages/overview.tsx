import { Alert, Grid, Stack, Text } from "@mantine/core";
import { lazy, Suspense } from "react";
import { countAll, getOverview, type Overview } from "../api/operation.ts";
import { Facts } from "../parts/facts.tsx";
import { useFormat } from "../parts/format.ts";
import { LoadedView } from "../parts/loaded-view.tsx";
import { PageFrame } from "../parts/page-frame.tsx";
import { Section } from "../parts/section.tsx";
import { useLoaded } from "../parts/use-loaded.ts";
import { useSession } from "../session/session-context.ts";
import { useTexts } from "../texts/texts-context.ts";

/** What draws charts is larger than all of the rest, and only here. */
const TrafficCharts = lazy(() => import("./overview-charts.tsx"));
const everyMs = 5_000;

export function OverviewPage() {
  const { nav } = useTexts();
  const session = useSession();
  const overview = useLoaded((signal) => getOverview(session, signal), "overview", everyMs);
  return (
    <PageFrame title={nav.overview}>
      <LoadedView of={overview}>{(now) => <Shown now={now} />}</LoadedView>
    </PageFrame>
  );
}

function Shown({ now }: { readonly now: Overview }) {
  const { overview: texts } = useTexts();
  const isWell = now.obstacle === null;
  return (
    <Stack gap="lg">
      <Alert color={isWell ? "teal" : "red"} role="status" title={texts.health}>
        {isWell ? texts.healthy : texts.notHealthy(now.obstacle)}
      </Alert>
      <Section title={texts.server}>
        <ServerFacts now={now} />
      </Section>
      <Suspense fallback={null}>
        <TrafficCharts now={now} />
      </Suspense>
      <Grid>
        <Grid.Col span={{ base: 12, md: 6 }}>
          <Section title={texts.storage}>
            <StorageFacts now={now} />
          </Section>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 6 }}>
          <Section title={texts.federation}>
            <FederationFacts now={now} />
          </Section>
        </Grid.Col>
      </Grid>
    </Stack>
  );
}

function ServerFacts({ now }: { readonly now: Overview }) {
  const { overview: texts } = useTexts();
  const format = useFormat();
  const session = useSession();
  const { data: counted } = useLoaded((signal) => countAll(session, signal), "counts");
  const measured = (name: string) => format.number(now.measured[`hearth_${name}`] ?? 0);
  return (
    <Facts
      facts={[
        [texts.name, now.server_name],
        [texts.version, now.version],
        [texts.uptime, format.duration(now.now_ts - now.started_ts)],
        [texts.users, counted && format.number(counted.users)],
        [texts.rooms, counted && format.number(counted.rooms)],
        [texts.waiting, measured("waiting_users")],
        [texts.memory, format.bytes(now.resident_bytes)],
        [texts.node, now.node_version],
        [texts.waitingWrites, measured("database_waiting_writes")],
        [texts.jobs, measured("jobs_active")],
      ]}
    />
  );
}

function StorageFacts({ now: { measured, free_disk_bytes: free } }: { readonly now: Overview }) {
  const { overview: texts } = useTexts();
  const format = useFormat();
  const size = (name: string) => format.bytes(measured[`hearth_${name}_bytes`] ?? 0);
  return (
    <Facts
      facts={[
        [texts.database, size("hearth_db")],
        [texts.log, size("hearth_db_wal")],
        [texts.searchIndex, size("search_db")],
        [texts.free, format.bytes(free)],
      ]}
    />
  );
}

function FederationFacts({ now: { measured } }: { readonly now: Overview }) {
  const { overview: texts } = useTexts();
  const format = useFormat();
  const busy = measured["hearth_federation_busy_destinations"];
  if (busy === undefined) return <Text>{texts.federationOff}</Text>;
  return (
    <Facts
      facts={[
        [texts.busy, format.number(busy)],
        [texts.failing, format.number(measured["hearth_federation_failing_destinations"] ?? 0)],
      ]}
    />
  );
}
