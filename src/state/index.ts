export { openState, readState } from './folder.ts';
export { awaitAnswer, leaveRequest } from './requests.ts';
export { lockEngine } from './engine-lock.ts';
export { isHeld, lockWriter, type Writer } from './lock.ts';
