import type { Run } from '../command.js';
import { eachRow } from './rows.js';

export const run: Run = (call) =>
  eachRow(call, 'due now', (store, id) => store.write('queueRetry', { id, now: Date.now() }));
