/** Takes the lock named on the command line and keeps it until it is killed. */
import { holdLock } from '../../../src/storage/index.js';

const lock = holdLock(process.argv[2] ?? '');
process.stdout.write(lock === undefined ? 'refused\n' : 'held\n');
setInterval(() => lock, 60_000);
