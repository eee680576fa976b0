import { Anchor, Group, Stack, Title } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { useTexts } from "../texts/texts-context.ts";

interface PageFrameProps {
  readonly title: string;
  /** Of the list that this is one of. */
  readonly backTo?: string;
  /** Beside the title. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** A page with its title, to which the focus goes, so that screen readers say where their user has come. */
export function PageFrame({ title, backTo, actions, children }: PageFrameProps) {
  const texts = useTexts();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – ${texts.title}`;
  }, [title, texts]);
  useEffect(() => heading.current?.focus(), []);
  return (
    <Stack gap="lg">
      {backTo !== undefined && <Anchor href={backTo}>← {texts.common.back}</Anchor>}
      <Group justify="space-between">
        <Title order={1} size="h2" className="page-title" tabIndex={-1} ref={heading}>
          {title}
        </Title>
        {actions && <Group>{actions}</Group>}
      </Group>
      {children}
    </Stack>
  );
}
