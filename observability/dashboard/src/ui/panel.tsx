/** The frame around a panel: a landmark with a heading that the health strip links to. */

import type { ComponentChildren } from "preact";

interface PanelProps {
  /** Anchor of the panel: `#tape`. */
  id: string;
  title: string;
  /** Controls beside the heading. */
  tools?: ComponentChildren;
  children: ComponentChildren;
}

export function Panel({ id, title, tools, children }: PanelProps) {
  return (
    <section class="panel" id={id} aria-labelledby={`${id}-title`} tabIndex={-1}>
      <div class="panel-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {tools !== undefined && <div class="panel-tools">{tools}</div>}
      </div>
      {children}
    </section>
  );
}
