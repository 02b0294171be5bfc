/** Title and settings. */

import { choose, useSettings } from "./settings.ts";
import { useWords, words } from "./words.ts";

const WORDS = words(
  {
    title: "Live trades",
    settings: "Settings",
    language: "Language",
    theme: "Theme",
    system: "system",
    light: "light",
    dark: "dark",
    colours: "Rise and fall",
    korea: "red ▲ blue ▼",
    west: "green ▲ red ▼",
    zone: "Times",
    local: "local",
    utc: "UTC",
  },
  {
    title: "실시간 체결",
    settings: "설정",
    language: "언어",
    theme: "테마",
    system: "시스템",
    light: "밝게",
    dark: "어둡게",
    colours: "상승과 하락",
    korea: "빨강 ▲ 파랑 ▼",
    west: "초록 ▲ 빨강 ▼",
    zone: "시각",
    local: "현지",
    utc: "UTC",
  },
);

export function Header() {
  const w = useWords(WORDS);
  const { language, theme, colours, zone } = useSettings();
  return (
    <header class="page-header">
      <h1>{w.title}</h1>
      <fieldset class="settings">
        <legend class="visually-hidden">{w.settings}</legend>
        <Choice
          label={w.language}
          value={language}
          options={{ en: "English", ko: "한국어" }}
          onChoose={(value) => choose({ language: value })}
        />
        <Choice
          label={w.theme}
          value={theme}
          options={{ system: w.system, light: w.light, dark: w.dark }}
          onChoose={(value) => choose({ theme: value })}
        />
        <Choice
          label={w.colours}
          value={colours}
          options={{ west: w.west, korea: w.korea }}
          onChoose={(value) => choose({ colours: value })}
        />
        <Choice
          label={w.zone}
          value={zone}
          options={{ local: w.local, utc: w.utc }}
          onChoose={(value) => choose({ zone: value })}
        />
      </fieldset>
    </header>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: Record<T, string>;
  onChoose: (value: T) => void;
}

function Choice<T extends string>({ label, value, options, onChoose }: ChoiceProps<T>) {
  return (
    <label class="choice">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChoose(event.currentTarget.value as T)}>
        {(Object.keys(options) as T[]).map((option) => (
          <option key={option} value={option}>
            {options[option]}
          </option>
        ))}
      </select>
    </label>
  );
}
