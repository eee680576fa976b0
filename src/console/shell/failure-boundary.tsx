import { Alert, Button, Stack } from "@mantine/core";
import { Component, type ReactNode } from "react";

interface Props {
  readonly words: string;
  readonly retry: string;
  readonly children: ReactNode;
}

/** Keeps the menu when a page fails, as when its files have gone with an upgrade of the server. */
export class FailureBoundary extends Component<Props, { readonly hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError(): { hasFailed: boolean } {
    return { hasFailed: true };
  }

  override render(): ReactNode {
    if (!this.state.hasFailed) return this.props.children;
    return (
      <Alert color="red" role="alert">
        <Stack align="flex-start">
          {this.props.words}
          <Button variant="default" onClick={() => location.reload()}>
            {this.props.retry}
          </Button>
        </Stack>
      </Alert>
    );
  }
}
