import { type Daticert, instantOf } from '../pec/index.js';
import { type Finding, finding } from './report.js';
import { instantText } from './words.js';

const SECOND = 1000;
/** Sealing takes a moment; gestori write the certified second or the one before (pec-format 3). */
const AGREES = 60 * SECOND;
/** RFC 6109 4.1 wants one instant for the whole transaction: beyond this the two are about different events. */
const TOLERATED = 3600 * SECOND;
const CLOCK_SLACK = 300 * SECOND;

/** When a message was made, by its own account. */
export interface MessageTimes {
  /** Of daticert.xml, epoch milliseconds. */
  readonly certified: number | undefined;
  /** Of the signature, epoch milliseconds. */
  readonly signing: number | undefined;
  /** The instant at which certificates are judged. */
  readonly at: number;
  readonly findings: readonly Finding[];
}

/** @param now epoch milliseconds: stands in where the message gives no time, and unmasks times to come */
export function timesOf(
  daticert: Daticert | undefined,
  signing: number | undefined,
  now: number,
): MessageTimes {
  const certified = daticert && instantOf(daticert.giorno, daticert.ora, daticert.zona);
  const findings: Finding[] = [];
  if (daticert !== undefined && certified === undefined) {
    const written = `${daticert.giorno} ${daticert.ora} ${daticert.zona}`;
    findings.push(
      finding(
        'time-unknown',
        'open',
        `La data certificata "${written}" non è una data.`,
        `The certified date "${written}" is no date.`,
      ),
    );
  }
  if (certified === undefined && signing === undefined) {
    findings.push(
      finding(
        'time-unknown',
        'open',
        'Il messaggio firmato non dice quando è stato fatto: il certificato è stato giudicato alla data di oggi.',
        'The signed message does not say when it was made: the certificate was judged as of today.',
      ),
    );
  } else if (signing === undefined) {
    findings.push(
      finding(
        'signing-time-absent',
        'remark',
        "La firma non porta la sua data (signingTime): vale l'ora certificata.",
        'The signature bears no date of its own (signingTime): the certified time counts.',
      ),
    );
  }
  const gap = certified === undefined || signing === undefined ? undefined : Math.abs(certified - signing);
  if (gap !== undefined && certified !== undefined && signing !== undefined) {
    findings.push(gapFinding(gap, certified, signing));
  }
  // The later of two that belong together: a certificate must hold until the signature stands.
  const together = gap !== undefined && gap <= TOLERATED ? Math.max(certified ?? 0, signing ?? 0) : undefined;
  const at = together ?? certified ?? signing ?? now;
  if (at > now + CLOCK_SLACK) findings.push(futureFinding(at));
  return { certified, signing, at, findings };
}

function gapFinding(gap: number, certified: number, signing: number): Finding {
  const one = instantText(certified);
  const other = instantText(signing);
  if (gap <= AGREES) {
    return finding(
      'signing-time-agrees',
      'holds',
      `L'ora della firma (${other.it}) concorda con quella certificata (${one.it}).`,
      `The time of the signature (${other.en}) agrees with the certified one (${one.en}).`,
    );
  }
  return finding(
    'signing-time-differs',
    gap <= TOLERATED ? 'remark' : 'open',
    `L'ora della firma (${other.it}) non è quella certificata (${one.it}).`,
    `The time of the signature (${other.en}) is not the certified one (${one.en}).`,
  );
}

function futureFinding(at: number): Finding {
  const when = instantText(at);
  return finding(
    'time-in-future',
    'open',
    `Il messaggio porta una data futura (${when.it}).`,
    `The message bears a date in the future (${when.en}).`,
  );
}
