import { Resolver } from 'node:dns/promises';
import { Readable } from 'node:stream';
import type { AuthenticateResult, DKIMResult } from 'mailauth';
import type { Header } from '../mime/index.js';
import { domainOf, isValidAddress } from '../pec/index.js';
import type { Arrival } from './arrival.js';

/** Whether ordinary mail comes from where its reverse path says. */
export type Standing =
  /** SPF of the reverse path passes, or DKIM of its domain. */
  | 'verified'
  /** SPF says no, or DMARC does. */
  | 'forged'
  /** Nobody says anything, or the DNS did not answer. */
  | 'unknown';

export interface SenderChecked {
  readonly standing: Standing;
  /** Authentication-Results (RFC 8601), CRLF-ended; empty for mail that came over no network. */
  readonly results: string;
  /** Why nothing is known, where the check itself failed. */
  readonly failure?: string | undefined;
}

export type SenderCheck = (arrival: Arrival, header: Header) => Promise<SenderChecked>;

/** Asks the DNS; rejects with node's codes. */
export type Question = (name: string, type: string) => Promise<string[][] | string[]>;

export interface SenderCheckOptions {
  /** Who says so in Authentication-Results. */
  readonly hostname: string;
  readonly isOwnDomain: (domain: string) => boolean;
  /** For one check; `cancel` ends what still waits. */
  readonly questions: () => { readonly ask: Question; readonly cancel: () => void };
}

/** All lookups of one check, milliseconds: the peer waits for its answer meanwhile. */
export const CHECK_LIMIT = 5_000;
/** Signatures looked at: each costs a lookup and a hash of the whole body. */
const MOST_SIGNATURES = 10;

/** SPF, DKIM and DMARC (RFC 7208, 6376, 7489). Never rejects: no DNS is a failure of the check, not of the mail. */
export function senderCheck(options: SenderCheckOptions): SenderCheck {
  return async (arrival, header) => {
    if (arrival.peer === 'local') return { standing: 'unknown', results: '' };
    const { ask, cancel } = options.questions();
    let over = false;
    const timer = setTimeout(() => {
      over = true;
      cancel();
    }, CHECK_LIMIT);
    try {
      const bounded: Question = (name, type) => (over ? Promise.reject(tooLate()) : ask(name, type));
      return await check(options, arrival, header, bounded);
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      return { standing: 'unknown', results: written(options.hostname, ['none']), failure };
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Questions over the network. @param servers those of the system if empty */
export const networkQuestions =
  (servers: readonly string[]): SenderCheckOptions['questions'] =>
  () => {
    const resolver = new Resolver({ timeout: 2_000, tries: 2 });
    if (servers.length > 0) resolver.setServers(servers);
    return {
      ask: (name, type) => resolver.resolve(name, type) as Promise<string[][] | string[]>,
      cancel: () => resolver.cancel(),
    };
  };

async function check(
  { hostname, isOwnDomain }: SenderCheckOptions,
  arrival: Arrival,
  header: Header,
  resolver: Question,
): Promise<SenderChecked> {
  const { mailFrom } = arrival;
  const signatures = header.all('DKIM-Signature').length;
  if (signatures > MOST_SIGNATURES) throw new Error(`${signatures} DKIM signatures`);
  const { authenticate } = await import('mailauth');
  const found = await authenticate(Readable.from(arrival.message.chunks()), {
    sender: mailFrom,
    ip: arrival.peer,
    ...(arrival.helo === undefined ? {} : { helo: arrival.helo }),
    mta: hostname,
    resolver,
    disableArc: true,
    disableBimi: true,
  });
  const ours = isValidAddress(mailFrom) && isOwnDomain(domainOf(mailFrom));
  // Our users send through the access point: nobody brings their mail from outside.
  return {
    standing: ours ? 'forged' : standingOf(found, mailFrom),
    results: written(hostname, methods(found)),
  };
}

function standingOf({ spf, dkim, dmarc }: AuthenticateResult, mailFrom: string): Standing {
  const spfSays = spf === false ? 'none' : spf.status.result;
  if (spfSays === 'pass' || dkim.results.some((signature) => speaksFor(signature, mailFrom)))
    return 'verified';
  if (spfSays === 'fail' || spfSays === 'softfail') return 'forged';
  return dmarc !== false && dmarc.status.result === 'fail' ? 'forged' : 'unknown';
}

/** A whole signature of the reverse path's domain, or of one above it. */
function speaksFor({ status, signingDomain }: DKIMResult, mailFrom: string): boolean {
  if (status.result !== 'pass' || status.underSized === true || !isValidAddress(mailFrom)) return false;
  const signer = signingDomain.toLowerCase();
  const domain = domainOf(mailFrom);
  return domain === signer || (signer.includes('.') && domain.endsWith(`.${signer}`));
}

function methods({ spf, dkim, dmarc }: AuthenticateResult): string[] {
  return [
    ...(spf === false ? [] : [`spf=${word(spf.status.result)} smtp.mailfrom=${word(spf.domain)}`]),
    ...dkim.results
      .filter(({ signingDomain }) => signingDomain !== undefined)
      .map(({ status, signingDomain }) => `dkim=${word(status.result)} header.d=${word(signingDomain)}`),
    ...(dmarc === false ? [] : [`dmarc=${word(dmarc.status.result)} header.from=${word(dmarc.domain)}`]),
  ];
}

/** A stranger's words stay one token (RFC 8601 2.2). */
const word = (text: string): string => text.replace(/[^\w.-]/g, '').slice(0, 255) || 'none';

const written = (hostname: string, results: readonly string[]): string =>
  `Authentication-Results: ${[hostname, ...(results.length > 0 ? results : ['none'])].join(';\r\n\t')}\r\n`;

const tooLate = (): Error => Object.assign(new Error('the DNS did not answer in time'), { code: 'ETIMEOUT' });
