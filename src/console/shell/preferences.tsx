import { type MantineColorScheme, NativeSelect, useMantineColorScheme } from "@mantine/core";
import { type Language, languages, useLanguage, useTexts } from "../texts/texts-context.ts";

const looks: readonly MantineColorScheme[] = ["auto", "light", "dark"];

/** Language, and light or dark. They are remembered in the browser. */
export function Preferences() {
  const { shell } = useTexts();
  const { language, choose } = useLanguage();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <>
      <NativeSelect
        size="xs"
        aria-label={shell.look}
        value={colorScheme}
        data={looks.map((value) => ({ value, label: shell.looks[value] }))}
        onChange={({ currentTarget }) => setColorScheme(currentTarget.value as MantineColorScheme)}
      />
      <NativeSelect
        size="xs"
        aria-label={shell.language}
        value={language}
        data={Object.entries(languages).map(([value, { name: label }]) => ({ value, label }))}
        onChange={({ currentTarget }) => choose(currentTarget.value as Language)}
      />
    </>
  );
}
