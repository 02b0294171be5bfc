/** The frame around a panel: a landmark with a heading that the health strip links to. */

import type { ComponentChildren } from "preact";

interface PanelProps {
  /** Anchor of the panel: `#tape`. */
  id: string;
  title: string;
  /** Beside another panel where there is room. */
  half?: boolean;
  /** Controls beside the heading. */
  tools?: ComponentChildren;
  children: ComponentChildren;
}

export function Panel({ id, title, half = false, tools, children }: PanelProps) {
  return (
    <section class={half ? "panel half" : "panel"} id={id} aria-labelledby={`${id}-title`} tabIndex={-1}>
      <div class="panel-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {tools !== undefined && <div class="panel-tools">{tools}</div>}
      </div>
      {children}
    </section>
  );
}
