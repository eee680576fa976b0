import { Alert, Button, Stack, Text } from "@mantine/core";
import { useTexts } from "../texts/texts-context.ts";
import { wordsFor } from "./errors.ts";

/** What could not be shown, and why. */
export function Problem({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  const texts = useTexts();
  return (
    <Alert color="red" title={texts.errors.title} role="alert">
      <Stack align="flex-start">
        <Text>{wordsFor(error, texts)}</Text>
        {retry && (
          <Button variant="default" onClick={retry}>
            {texts.common.retry}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}
