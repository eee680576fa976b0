import { Loader } from "@mantine/core";
import type { ReactNode } from "react";
import { useTexts } from "../texts/texts-context.ts";
import { Problem } from "./problem.tsx";
import type { Loaded } from "./use-loaded.ts";

interface LoadedViewProps<Data> {
  readonly of: Loaded<Data>;
  readonly children: (data: Data) => ReactNode;
}

/** Shows what has been fetched, or that it is on its way, or why not. */
export function LoadedView<Data>({ of: { data, error, reload }, children }: LoadedViewProps<Data>) {
  const { common } = useTexts();
  if (data !== undefined) return children(data);
  if (error !== undefined) return <Problem error={error} retry={reload} />;
  return <Loader aria-label={common.loading} />;
}
