import { AppShell, Burger, Button, Group, Loader, NavLink, ScrollArea, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Suspense } from "react";
import { Icon } from "../parts/icons.tsx";
import { useAct } from "../parts/notices.tsx";
import { useSession } from "../session/session-context.ts";
import { useTexts } from "../texts/texts-context.ts";
import { FailureBoundary } from "./failure-boundary.tsx";
import { type ConsolePage, pages } from "./pages.tsx";
import { Preferences } from "./preferences.tsx";
import { linkTo, useRoute } from "./route.ts";

/** The menu, and the page that the address names. */
export function Shell({ ended }: { readonly ended: () => void }) {
  const { title, skip, shell, common, errors } = useTexts();
  const [name, id] = useRoute();
  const [isOpen, { toggle, close }] = useDisclosure(false);
  const shown = pages.find((page) => page.name === name) ?? pages[0];
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 240, breakpoint: "sm", collapsed: { mobile: !isOpen } }}
      padding="lg"
    >
      <a className="skip" href="#content" onClick={focusContent}>
        {skip}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group wrap="nowrap">
            <Burger opened={isOpen} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={shell.menu} />
            <Text fw={600} visibleFrom="sm">
              {title}
            </Text>
          </Group>
          <Group wrap="nowrap" gap="xs">
            <Group visibleFrom="sm" wrap="nowrap" gap="xs">
              <Preferences />
            </Group>
            <SignOut ended={ended} />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label={shell.pages}>
        <AppShell.Section grow component={ScrollArea}>
          <Menu shown={shown} close={close} />
        </AppShell.Section>
        <AppShell.Section hiddenFrom="sm">
          <Group p="xs">
            <Preferences />
          </Group>
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <FailureBoundary key={location.hash} words={errors.broken} retry={common.retry}>
          <Suspense fallback={<Loader aria-label={common.loading} />}>
            {shown && contentOf(shown, id)}
          </Suspense>
        </FailureBoundary>
      </AppShell.Main>
    </AppShell>
  );
}

function contentOf({ List, Item }: ConsolePage, id: string | undefined) {
  return Item && id !== undefined && id !== "" ? <Item key={id} id={id} /> : <List />;
}

function Menu({ shown, close }: { readonly shown: ConsolePage | undefined; readonly close: () => void }) {
  const { nav } = useTexts();
  return pages.map((page) => (
    <NavLink
      key={page.name}
      href={linkTo(page.name)}
      label={nav[page.name]}
      leftSection={<Icon name={page.name} />}
      active={page === shown}
      aria-current={page === shown ? "page" : undefined}
      onClick={close}
    />
  ));
}

function SignOut({ ended }: { readonly ended: () => void }) {
  const { shell, signIn } = useTexts();
  const session = useSession();
  const { isBusy, run } = useAct();
  const signOut = async () => {
    if (await run(() => session.end(), signIn.ended)) ended();
  };
  return (
    <Button
      size="xs"
      variant="default"
      loading={isBusy}
      title={session.userId}
      onClick={() => void signOut()}
    >
      {shell.signOut}
    </Button>
  );
}

/** The address keeps naming the page. */
function focusContent(event: { preventDefault: () => void }): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}
