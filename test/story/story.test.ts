import { expect, it } from 'vitest';
import { play } from './play.ts';
import { stories } from './stories.ts';

it.each(stories)('$name: is told as it was', async (story) => {
  const { text } = await play(story, null);
  const file = `./${story.name.replaceAll(' ', '-')}.story.txt`;
  await expect(`${story.name}\n${story.says}\n\n${text}\n`).toMatchFileSnapshot(file);
});
