import { replay } from './play.ts';

replay(3, 4);
