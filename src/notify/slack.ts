import type { Delivery } from './message.ts';
import type { Notice } from './incident.ts';
import { post, readSecretFile } from './post.ts';

/** Posts one line of text to an incoming webhook, as Slack and all that imitate it take it. */
export function slack(settings: { readonly url_file: string }): Delivery {
  return {
    async deliver({ notice }, signal) {
      const url = await readSecretFile(settings.url_file);
      await post(
        { url, body: JSON.stringify({ text: `${signs[notice.kind]} ${plain(notice.text)}` }) },
        signal,
      );
    },
  };
}

const signs: Readonly<Record<Notice['kind'], string>> = {
  opened: ':red_circle:',
  escalated: ':rotating_light:',
  reminder: ':hourglass:',
  resolved: ':large_green_circle:',
  notice: ':information_source:',
};

/** Slack's own three escapes: an event's words must not become links or mentions. */
const plain = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
