import { AreaChart, LineChart } from "@mantine/charts";
import { Grid, Text } from "@mantine/core";
import type { Overview } from "../api/operation.ts";
import { useFormat } from "../parts/format.ts";
import { Section } from "../parts/section.tsx";
import { useTexts } from "../texts/texts-context.ts";

const height = 220;
const shared = {
  h: height,
  dataKey: "time",
  withLegend: true,
  withDots: false,
  curveType: "monotone",
} as const;

/** How much is asked of the server, and how fast it answers. The newest numbers stand below in words, too. */
export default function OverviewCharts({ now }: { readonly now: Overview }) {
  const { overview: texts } = useTexts();
  const format = useFormat();
  const seconds = now.traffic_interval_ms / 1000;
  const points = now.traffic.map((interval) => ({
    time: format.clock(interval.ts),
    [texts.succeeded]: interval.succeeded / seconds,
    [texts.refused]: interval.refused / seconds,
    [texts.failed]: interval.failed / seconds,
    [texts.median]: interval.median_ms,
    [texts.slow]: interval.slow_ms,
  }));
  const newest = points.at(-1);
  const series = (...drawn: readonly (readonly [name: string, color: string])[]) => ({
    series: drawn.map(([name, color]) => ({ name, color })),
    words: drawn.map(([name]) => `${name}: ${newest?.[name] ?? 0}`).join(", "),
  });
  const traffic = series([texts.succeeded, "teal.7"], [texts.refused, "orange.6"], [texts.failed, "red.7"]);
  const times = series([texts.median, "indigo.5"], [texts.slow, "grape.5"]);
  return (
    <Grid>
      <Grid.Col span={{ base: 12, md: 6 }}>
        <Section title={texts.traffic}>
          <div role="img" aria-label={texts.chart(`${texts.traffic}. ${traffic.words}`)}>
            <AreaChart {...shared} data={points} series={traffic.series} />
          </div>
          <Text size="sm" c="dimmed">
            {texts.trafficExplained}
          </Text>
        </Section>
      </Grid.Col>
      <Grid.Col span={{ base: 12, md: 6 }}>
        <Section title={texts.latency}>
          <div role="img" aria-label={texts.chart(`${texts.latency}. ${times.words}`)}>
            <LineChart {...shared} data={points} series={times.series} connectNulls />
          </div>
          <Text size="sm" c="dimmed">
            {texts.trafficExplained}
          </Text>
        </Section>
      </Grid.Col>
    </Grid>
  );
}
