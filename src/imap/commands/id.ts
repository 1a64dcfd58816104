import { anyState, command } from '../command.js';

/** RFC 2971: what a client says of itself is not kept and decides nothing. */
export const id = command({
  name: 'ID',
  states: anyState,
  comesWith: ['ID'],
  capability: ['ID'],
  grammar(scanner) {
    scanner.space();
    if (!scanner.sees('(')) return void scanner.nstring();
    scanner.list(
      () => {
        scanner.string();
        scanner.space();
        scanner.nstring();
      },
      { empty: true },
    );
  },
  run(_, context) {
    context.untagged('ID ("name" "Ceralacca")');
    return { text: 'Fatto / Done' };
  },
});
