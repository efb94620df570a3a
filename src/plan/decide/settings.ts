import { defaultSettings } from '../../model/defaults.ts';
import type { Settings } from '../../model/spec.ts';
import type { View } from '../../model/world.ts';

/** Of the entry; of what runs where there is none; the defaults where nothing can be read. */
export function settingsOf({ entry, instances }: View): Settings {
  const labelled = instances.findLast(({ spec }) => spec !== null)?.spec;
  return entry?.settings ?? labelled?.settings ?? defaultSettings;
}
