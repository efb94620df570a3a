import { expect, it } from 'vitest';
import { play } from './play.ts';
import { allStories } from './all.ts';

it.each(allStories)('$name: is told as it was', async (story) => {
  const { text } = await play(story, null);
  const file = `./${story.name.replaceAll(' ', '-')}.story.txt`;
  await expect(`${story.name}\n${story.says}\n\n${text}\n`).toMatchFileSnapshot(file);
});
