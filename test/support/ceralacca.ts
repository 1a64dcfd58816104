// The program as bin/ceralacca runs it, on the transpiled sources: what the tests spawn.
import { main } from '../../src/cli/index.js';

process.exit(await main(process.argv.slice(2)));
