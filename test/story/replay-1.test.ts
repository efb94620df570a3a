import { replay } from './play.ts';

replay(0, 4);
