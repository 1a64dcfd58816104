import type { Run } from '../command.js';
import { eachRow } from './rows.js';

export const run: Run = (call) => eachRow(call, 'dropped', (store, id) => store.write('queueDrop', { id }));
