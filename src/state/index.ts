export { openState, readState } from './folder.ts';
export { awaitAnswer, leaveRequest } from './requests.ts';
export { lockEngine, lockWriter, type Writer } from './lock.ts';
