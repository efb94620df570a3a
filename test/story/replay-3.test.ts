import { replay } from './play.ts';

replay(2, 4);
