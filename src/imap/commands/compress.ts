import { command, loggedIn } from '../command.js';
import { refusals } from '../refusals.js';

/** RFC 4978, where the operator wants it (`imap.compress`). */
export const compress = command({
  name: 'COMPRESS',
  states: loggedIn,
  comesWith: ['COMPRESS=DEFLATE'],
  capability: ({ compression }) => (compression === 'offered' ? ['COMPRESS=DEFLATE'] : []),
  // The news comes with the next command: what follows the OK is compressed.
  tells: 'none',
  grammar(scanner) {
    scanner.space();
    return scanner.keyword();
  },
  run(mechanism, { connection }) {
    if (connection.compression === 'none') throw refusals.unknownCommand();
    if (mechanism !== 'DEFLATE') throw refusals.unknownCompression();
    if (connection.compression === 'active') throw refusals.compressionActive();
    if (connection.pending > 0) throw refusals.octetsAfterCompress();
    return { text: 'DEFLATE attivo / DEFLATE active', compress: true };
  },
});
