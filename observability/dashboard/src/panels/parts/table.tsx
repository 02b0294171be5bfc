/** A table that scrolls sideways by itself where the page is narrow; its first column stays in sight. */

import type { ComponentChildren } from "preact";
import "./parts.css";

interface TableProps {
  /** What it shows, for those who do not see it. */
  caption: string;
  /** Headings of the columns, the first one first. */
  heads: readonly Head[];
  children: ComponentChildren;
}

export interface Head {
  readonly key: string;
  readonly text: string;
  /** Numbers stand at the right. */
  readonly isNumber?: boolean;
  /** What the column means, when its name is short. */
  readonly hint?: string;
}

export function Table({ caption, heads, children }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="table-scroller" aria-label={caption} tabIndex={0}>
      <table class="table">
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {heads.map(({ key, text, isNumber, hint }) => (
              <th key={key} scope="col" class={isNumber ? "number" : undefined} title={hint}>
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
