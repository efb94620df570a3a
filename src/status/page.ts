import { readFileSync } from 'node:fs';
import { text, type Answer } from './answer.ts';

/** What the page for people is made of, by name. Read once; nothing is served that is not named here. */
const files: Readonly<Record<string, readonly [file: URL, media: string]>> = {
  'index.html': [new URL('./page/index.html', import.meta.url), 'text/html'],
  'page.css': [new URL('./page/page.css', import.meta.url), 'text/css'],
  'icon.svg': [new URL('./page/icon.svg', import.meta.url), 'image/svg+xml'],
  'app.js': [new URL('./page/app.js', import.meta.url), 'text/javascript'],
  'live.js': [new URL('./page/live.js', import.meta.url), 'text/javascript'],
  'draw.js': [new URL('./page/draw.js', import.meta.url), 'text/javascript'],
  'plain.js': [new URL('./page/plain.js', import.meta.url), 'text/javascript'],
  'server.js': [new URL('./page/server.js', import.meta.url), 'text/javascript'],
  'timeline.js': [new URL('./page/timeline.js', import.meta.url), 'text/javascript'],
};

export const pageFileNames: readonly string[] = Object.keys(files);

/** Nothing from elsewhere, nothing inline, nowhere to send anything, in nobody's frame. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const answers: ReadonlyMap<string, Answer> = new Map(
  Object.entries(files).map(([name, [file, media]]) => [
    name,
    text(readFileSync(file, 'utf8'), {
      'Content-Type': `${media}; charset=utf-8`,
      'Content-Security-Policy': policy,
      'Referrer-Policy': 'no-referrer',
    }),
  ]),
);

/** null: the page has no such file. */
export const pageFile = (name: string): Answer | null => answers.get(name) ?? null;
