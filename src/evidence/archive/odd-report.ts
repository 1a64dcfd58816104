import { titleOf } from '../kinds.js';
import { type EvidenceReport, finding, type Sentence, sorted } from '../report.js';
import { limitsOf } from '../statements.js';
import type { Oddity } from './open.js';

const say = (it: string, en: string): Sentence => ({ it, en });

const WHY: Readonly<Record<Oddity, Sentence>> = {
  encrypted: say(
    "È cifrato con una parola d'ordine: va estratto e verificato da solo.",
    'It is encrypted with a password: extract it and have it verified by itself.',
  ),
  method: say(
    'È compresso in un modo che qui non si legge: va estratto e verificato da solo.',
    'It is compressed in a way that is not read here: extract it and have it verified by itself.',
  ),
  'too-large': say(
    'È più grande di quanto un messaggio possa essere (256 MiB): non è stato letto.',
    'It is larger than a message can be (256 MiB): it was not read.',
  ),
  damaged: say(
    "È danneggiato nell'archivio: ciò che se ne legge non è ciò che vi fu messo.",
    'It is damaged in the archive: what can be read is not what was put there.',
  ),
  'names-differ': say(
    "L'archivio gli dà due nomi diversi: programmi diversi vi leggerebbero file diversi.",
    'The archive gives it two different names: different programs would read different files.',
  ),
  total: say(
    'Contiene, una volta decompresso, più di quanto si legge da un solo file (16 GiB): il resto non è stato guardato.',
    'It holds, once unpacked, more than is read from one file (16 GiB): the rest was not looked at.',
  ),
  members: say(
    'Contiene più file di quanti se ne leggono da uno solo (100.000): il resto non è stato guardato.',
    'It holds more files than are read from one (100,000): the rest was not looked at.',
  ),
  depth: say(
    'È un archivio dentro altri archivi, troppo in profondità: non è stato aperto.',
    'It is an archive inside others, too deep: it was not opened.',
  ),
  'archive-damaged': say(
    "L'archivio è danneggiato: ciò che segue, o tutto, non si può leggere.",
    'The archive is damaged: what follows, or all of it, cannot be read.',
  ),
  outlook: say(
    'È un file .msg di Outlook, che non conserva il messaggio come ha viaggiato: la firma non vi si può più verificare. Serve il messaggio salvato come .eml.',
    'It is a .msg file of Outlook, which does not keep the message as it travelled: the signature cannot be verified any more. The message saved as .eml is needed.',
  ),
};

/** The report of something that could not be judged. @param detail in English, for whoever looks into it */
export function oddReport(file: string, oddity: Oddity, detail?: string): EvidenceReport {
  const { it, en } = WHY[oddity];
  const more = detail === undefined ? '' : ` (${detail})`;
  return {
    file,
    ...sorted([finding('not-judged', 'open', `${it}${more}`, `${en}${more}`)]),
    kind: 'illeggibile',
    title: titleOf('illeggibile'),
    attests: [],
    doesNotProve: limitsOf('illeggibile', null, null),
    certified: null,
    original: null,
    signature: null,
    directory: null,
    nested: [],
  };
}
