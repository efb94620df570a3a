import { badUpdates } from './bad-updates.ts';
import { stories, type Story } from './stories.ts';

export const allStories: readonly Story[] = [...stories, ...badUpdates];
