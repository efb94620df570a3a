// Loaded before a program (`node --import`): its time of day is as many milliseconds away from the real one as the file
// CLOCK_OFFSET_FILE says. Timers, and what is measured with them, are left alone, as they are when a clock is set.
import { readFileSync } from 'node:fs';

const now = Date.now;
let offset = 0;
Date.now = () => now() + offset;
setInterval(() => {
  offset = Number(readFileSync(process.env.CLOCK_OFFSET_FILE, 'utf8'));
}, 50).unref();
