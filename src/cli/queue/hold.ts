import type { Run } from '../command.js';
import { eachRow } from './rows.js';

export const run: Run = (call) => eachRow(call, 'held', (store, id) => store.write('queueHold', { id }));
