import { command, loggedIn, noArguments } from '../command.js';
import { refusals } from '../refusals.js';

/** RFC 2177. */
export const idle = command({
  name: 'IDLE',
  states: loggedIn,
  comesWith: ['IDLE'],
  capability: ['IDLE'],
  grammar: noArguments,
  run: () => ({
    prompt: 'In attesa / Idling',
    tellsNews: true,
    answer(line) {
      if (line.toString('latin1').toUpperCase() !== 'DONE')
        throw refusals.badArgument('Si attendeva DONE / DONE was expected');
      return { text: 'Fatto / Done' };
    },
  }),
});
