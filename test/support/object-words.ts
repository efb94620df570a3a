/** What every plain object answers to without anybody having put it there: `constructor`, `__proto__`, `toString` and so on. */
export const objectWords: readonly string[] = Object.getOwnPropertyNames(Object.prototype);
