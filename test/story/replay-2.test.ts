import { replay } from './play.ts';

replay(1, 4);
