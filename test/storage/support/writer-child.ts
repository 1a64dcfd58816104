/**
 * A process that writes until it is killed: `node writer-child.js <database> <callers> <name>`. It prints each key once its
 * write is acknowledged, and `! reason` for each that is not.
 */
import { StoreUnavailable } from '../../../src/storage/errors.js';
import { openTestEngine } from './sqlite-place.js';

const [file = '', callers = '16', name = 'k', limit = '1000000'] = process.argv.slice(2);
const engine = await openTestEngine(file);
let made = 0;
await Promise.all(
  Array.from({ length: Number(callers) }, async () => {
    while (made < Number(limit)) {
      made += 1;
      const key = `${name}-${made}`;
      try {
        await engine.write(made % 7 === 0 ? 'failAfterAll' : 'putAndAppend', { key });
        process.stdout.write(`${key}\n`);
      } catch (error) {
        if (error instanceof StoreUnavailable) process.stdout.write(`! ${error.reason}\n`);
      }
    }
  }),
);
await engine.close();
