/** Colours of the style sheet for what is drawn on a canvas. */

/** What a custom property such as `--rise` is where this element stands, as `rgb(…)`. */
export function colourOf(element: HTMLElement, name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
