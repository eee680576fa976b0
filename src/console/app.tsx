import { createTheme, MantineProvider } from "@mantine/core";
import { useCallback, useEffect, useMemo, useState } from "react";
import { Notices } from "./parts/notices.tsx";
import type { Session } from "./session/session.ts";
import { SessionContext } from "./session/session-context.ts";
import type { ReturnedSignOn } from "./session/sign-on.ts";
import { SignIn } from "./session/sign-in.tsx";
import { Shell } from "./shell/shell.tsx";
import { firstLanguage, type Language, LanguageContext, rememberLanguage } from "./texts/texts-context.ts";

const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: { light: 8, dark: 7 },
  cursorType: "pointer",
  defaultRadius: "md",
  // Grey enough to be read by everybody (WCAG 2.2, 1.4.3).
  black: "#1b1d22",
});

interface AppProps {
  /** With it the page's policy lets a style sheet in. */
  readonly styleNonce: string;
  readonly returned: ReturnedSignOn;
}

export function App({ styleNonce, returned }: AppProps) {
  const [language, setLanguage] = useState<Language>(firstLanguage);
  const [session, setSession] = useState<Session>();
  const [hasEnded, setEnded] = useState(false);
  useEffect(() => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : language;
  }, [language]);
  const choice = useMemo(() => {
    const choose = (chosen: Language) => {
      rememberLanguage(chosen);
      setLanguage(chosen);
    };
    return { language, choose };
  }, [language]);
  const ended = useCallback(() => {
    setSession(undefined);
    setEnded(true);
  }, []);
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => styleNonce}>
      <LanguageContext value={choice}>
        <Notices>
          {session ? (
            <SessionContext value={session}>
              <Shell ended={ended} />
            </SessionContext>
          ) : (
            <SignIn returned={returned} hasEnded={hasEnded} begun={setSession} ended={ended} />
          )}
        </Notices>
      </LanguageContext>
    </MantineProvider>
  );
}
