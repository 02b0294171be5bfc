import { words } from "../../ui/words.ts";

export const WORDS = words(
  { spread: (now: string, least: string, most: string) => `${now} (${least} to ${most})` },
  { spread: (now, least, most) => `${now} (최저 ${least}, 최고 ${most})` },
);
