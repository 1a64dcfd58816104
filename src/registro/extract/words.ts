import type { Extract } from './gather.js';

/** The same thing said twice. */
export interface Sentence {
  readonly it: string;
  readonly en: string;
}

export const title: Sentence = {
  it: 'Estratto dal registro della posta elettronica certificata',
  en: 'Extract from the register of certified mail',
};

/** What whoever holds an extract must know, before anything else. */
export function notices({ entries }: Extract): Sentence[] {
  return [
    {
      it: 'Questo documento non è una ricevuta e non la sostituisce: dice quanto il registro del gestore conserva del messaggio, nel momento in cui è stato prodotto.',
      en: 'This document is no receipt and does not replace one: it says what the register of the gestore keeps about the message, at the moment it was made.',
    },
    {
      it: 'La firma porta la data di produzione dell’estratto, non quella dei fatti: quando i fatti furono registrati lo provano la radice del giorno e la sua marca temporale.',
      en: 'The signature bears the date on which the extract was made, not that of the facts: when these were registered is proved by the root of the day and its time stamp.',
    },
    ...(entries.some(({ proof }) => proof === null) ? [UNSEALED] : []),
    ...(entries.some(({ proof }) => proof !== null && proof.seal.rootToken === null) ? [UNSTAMPED] : []),
  ];
}

const UNSEALED: Sentence = {
  it: 'Alcune righe sono di un giorno non ancora sigillato: per loro la prova manca.',
  en: 'Some entries are of a day that is not sealed yet: the proof is missing for them.',
};

const UNSTAMPED: Sentence = {
  it: 'Alcuni giorni non hanno una marca temporale: la data del loro sigillo è quella dichiarata dal gestore.',
  en: 'Some days have no time stamp: the date of their seal is the one the gestore declares.',
};
