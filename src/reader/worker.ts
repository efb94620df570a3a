import { parentPort } from 'node:worker_threads';
import { readManifest } from '../manifest/read.ts';
import type { ManifestText } from '../manifest/read.ts';

/** The thread's whole life: say that it is there, read one manifest and answer. */
parentPort?.once('message', (text: ManifestText) => parentPort?.postMessage(readManifest(text)));
parentPort?.postMessage('ready');
