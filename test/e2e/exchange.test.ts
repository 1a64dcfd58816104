import assert from 'node:assert/strict';
import { test } from 'node:test';
import { step, twoGestori } from '../support/gestore.js';
import { about, said } from './reading.js';
import { identificativoIn, letter } from './letters.js';

test('smoke', async (t) => {
  const pair = await twoGestori(t);
  const { alfa, beta } = pair;
  await step(t, pair, 'one', async () => {
    const anna = alfa.account('anna');
    const to = [beta.address('bruno')];
    const reply = await alfa.submit(anna, { to, content: letter({ from: anna.address, to, subject: 'Prova' }) });
    console.log(reply.line);
    const id = identificativoIn(reply);
    const [acc] = await alfa.inbox('anna').waitFor(about(id, 'accettazione'));
    const [con] = await alfa.inbox('anna').waitFor(about(id, 'avvenuta-consegna'));
    console.log(acc?.bytes.toString('latin1'), said(con!));
  });
});
