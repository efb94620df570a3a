import { plain } from './plain.js';

/** Elements from values. Text is only ever set as text: no name can become markup, or steer what is beside it. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== null) made.setAttribute(name, plain(value));
  const shown = children.filter((child) => child !== null && child !== '');
  made.append(...shown.map((child) => (child instanceof Node ? child : plain(child))));
  return made;
}

/** The same for an element that is there. */
export function say(element, text) {
  element.textContent = plain(text);
}

/** `label` is what is read aloud; the time itself is in UTC for everybody. */
export const moment = (iso) =>
  element('time', { datetime: iso, title: iso }, iso.replace('T', ' ').replace('Z', ''));

const SVG = 'http://www.w3.org/2000/svg';

/** Health over time as a picture: a bar of spans, and a sentence for those who do not see it. */
export function picture(past) {
  const svg = document.createElementNS(SVG, 'svg');
  const says = availabilityText(past);
  for (const [name, value] of Object.entries({
    class: 'past',
    viewBox: '0 0 1000 10',
    preserveAspectRatio: 'none',
    role: 'img',
    'aria-label': says,
  }))
    svg.setAttribute(name, value);
  const title = document.createElementNS(SVG, 'title');
  say(title, says);
  svg.append(title, ...bars(past?.spans ?? []));
  return svg;
}

export function availabilityText(past) {
  if (!past || past.availability === null) return 'availability not known yet';
  const since = past.spans[0].from.replace('T', ' ').replace('Z', ' UTC');
  return `${(past.availability * 100).toFixed(past.availability === 1 ? 0 : 2)} % available since ${since}`;
}

function bars(spans) {
  if (spans.length === 0) return [];
  const begin = Date.parse(spans[0].from);
  const whole = Math.max(Date.parse(spans.at(-1).to) - begin, 1);
  return spans.map(({ from, to, health }) => {
    const bar = document.createElementNS(SVG, 'rect');
    bar.setAttribute('x', ((Date.parse(from) - begin) / whole) * 1000);
    // A fall of a moment is seen too.
    bar.setAttribute('width', Math.max(((Date.parse(to) - Date.parse(from)) / whole) * 1000, 3));
    bar.setAttribute('height', 10);
    bar.setAttribute('class', health);
    return bar;
  });
}
