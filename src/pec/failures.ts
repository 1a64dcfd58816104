import { failureDescriptions as words } from './reasons.js';

/** What an errore-consegna says (RFC 6109 3.3.3): the `errore` word and `errore-esteso`. */
export interface DeliveryFailure {
  readonly errore: 'no-dest' | 'no-dominio' | 'altro';
  /** `<enhanced code> - <gestore> - <description>` (Nota 12; pec-format 2). */
  readonly reason: string;
}

/** A permanent refusal by the recipient's server. */
export interface SmtpRefusal {
  /** RFC 3463 status, where the client has it apart from the text. */
  readonly enhanced?: string | undefined;
  /** The reply's text; a status at its beginning is read. */
  readonly text?: string | undefined;
}

/** Causes found without asking a peer: the mailbox is ours, or there is nobody to ask. */
export type LocalCause =
  | 'unknown-mailbox'
  | 'revoked-mailbox'
  | 'suspended-mailbox'
  | 'full-mailbox'
  | 'absent-domain'
  | 'no-mail-domain'
  | 'unreachable';

type Errore = DeliveryFailure['errore'];

/** Nota 12 (mandatory from 01/04/2016) and pec-format 9; what it has no word for is `altro` (decisions 11). */
const KNOWN: Readonly<Record<string, readonly [Errore, string]>> = {
  '5.1.1': ['no-dest', words.invalidAddress],
  '5.1.2': ['no-dominio', words.invalidDomain],
  '5.1.10': ['altro', words.noMail],
  '5.2.1': ['altro', words.disabledMailbox],
  '5.2.2': ['altro', words.fullMailbox],
  '5.2.3': ['altro', words.tooLarge],
  '5.3.4': ['altro', words.tooLarge],
  '5.4.1': ['altro', words.unreachable],
};

const LOCAL: Readonly<Record<LocalCause, string>> = {
  'unknown-mailbox': '5.1.1',
  'revoked-mailbox': '5.1.1',
  'suspended-mailbox': '5.2.1',
  'full-mailbox': '5.2.2',
  'absent-domain': '5.1.2',
  'no-mail-domain': '5.1.10',
  unreachable: '5.4.1',
};

/**
 * The errore-consegna for a cause of our own.
 * @param gestore providerName of the gestore that signs the notice
 */
export const localFailure = (cause: LocalCause, gestore: string): DeliveryFailure =>
  failure(LOCAL[cause], gestore);

/**
 * The errore-consegna for a peer's permanent refusal, signed by the sender's gestore (decisions 11). Only the enhanced
 * status says what happened: a bare 550 may mean no mailbox, no access or policy (RFC 5321 4.2.3), a bare 552 a full
 * mailbox or a message too large (RFC 1870 6.1).
 * @param gestore providerName of the gestore that signs the notice
 */
export const smtpFailure = (refusal: SmtpRefusal, gestore: string): DeliveryFailure =>
  failure(statusOf(refusal), gestore);

function failure(status: string, gestore: string): DeliveryFailure {
  const [errore, description] = KNOWN[status] ?? [
    'altro',
    /^5\.7\./.test(status) ? words.policy : words.refused,
  ];
  return { errore, reason: `${status} - ${gestore} - ${description}` };
}

const statusOf = ({ enhanced, text }: SmtpRefusal): string =>
  permanentStatus(enhanced) ?? permanentStatus(text) ?? '5.0.0';

/** RFC 3463 2, class 5 at the beginning of `text`, behind the basic code if it is repeated there. */
function permanentStatus(text: string | undefined): string | undefined {
  const found = /^\s*(?:5\d\d[ -]\s*)?(5\.\d{1,3}\.\d{1,3})(?![\d.])/.exec(text ?? '');
  return found?.[1];
}
