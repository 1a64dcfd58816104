import { command, loggedIn } from '../command.js';
import type { Extension } from '../enabled.js';

const KNOWN: readonly Extension[] = ['CONDSTORE', 'QRESYNC', 'UTF8=ACCEPT'];

/** RFC 5161. */
export const enable = command({
  name: 'ENABLE',
  states: loggedIn,
  comesWith: ['ENABLE'],
  capability: ['ENABLE', 'UTF8=ACCEPT'],
  grammar(scanner) {
    const names: string[] = [];
    do {
      scanner.space();
      names.push(scanner.keyword());
    } while (!scanner.atEnd);
    return names;
  },
  run(names, context) {
    // RFC 5161 3.1: what is not known is passed over.
    const fresh = KNOWN.filter(
      (extension) =>
        names.includes(extension) && context.offers(extension) && !context.enabled.has(extension),
    );
    for (const extension of fresh) context.enable(extension);
    context.untagged(['ENABLED', ...fresh].join(' '));
    return { text: 'Fatto / Done' };
  },
});
