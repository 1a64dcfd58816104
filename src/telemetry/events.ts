/**
 * Everything Ceralacca tells about itself while it runs. One line an event: what it carries, how loud it is, what it
 * counts. The log line and the metrics come from the same event.
 *
 * Fields hold facts for operators: never a body, a password or a subject (subjects are in the register only). The
 * correlation id of a message is its `identificativo`.
 */
import type { AlarmName, StandingName } from './alarms.js';

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** How an event moves a metric. Labels are fields with few different values, never addresses or ids. */
export type Metric<F> =
  | { readonly counter: string; readonly help: string; readonly labels?: readonly (keyof F & string)[] }
  /** A gauge that this event raises or lowers by one. */
  | {
      readonly gauge: string;
      readonly help: string;
      readonly by: 1 | -1;
      readonly labels?: readonly (keyof F & string)[];
    }
  /** `value` names the field in milliseconds that is observed, in seconds. */
  | {
      readonly histogram: string;
      readonly help: string;
      readonly value: keyof F & string;
      readonly labels?: readonly (keyof F & string)[];
    };

export interface EventDefinition<F> {
  readonly level: Level;
  readonly text: string;
  readonly metrics: readonly Metric<F>[];
  /** Only for the type system: the shape of the fields. */
  readonly fields?: F;
}

function event<F extends object>(level: Level, text: string, ...metrics: Metric<F>[]): EventDefinition<F> {
  return { level, text, metrics };
}

interface Session {
  readonly protocol: 'submission' | 'mx' | 'pop3' | 'imap' | 'https';
  /** Address of the peer. */
  readonly peer: string;
  /** Short random id of the connection. */
  readonly session?: string | undefined;
}

/** The message an event is about. */
interface Message {
  readonly identificativo: string;
}

/** Why something failed, in the words of whoever failed. */
interface Fault {
  readonly error: string;
}

interface Hop {
  readonly destination: string;
  readonly kind: 'envelope' | 'notification' | 'ordinary' | 'dsn' | 'forward' | 'notice';
  readonly recipients: number;
}

const sessionsOpen = { gauge: 'sessions_open', help: 'Connections now open', labels: ['protocol'] } as const;
const logins = (outcome: string) => ({
  counter: `logins_${outcome}_total`,
  help: `Logins ${outcome}`,
  labels: ['protocol'] as const,
});

export const events = {
  'server.started': event<{ version: string; listeners: Readonly<Record<string, number>> }>(
    'info',
    'started',
  ),
  'server.reloaded': event<{ changed: readonly string[] }>('info', 'configuration read again'),
  'server.stopped': event<{ reason: string }>('info', 'stopped'),
  'server.warning': event<{ reason: string }>('warn', 'warning'),
  alarm: event<{
    name: AlarmName;
    reason: string;
    identificativo?: string | undefined;
    /** What a state that lasts is about, where there may be several of the name. */
    about?: string | undefined;
    /** True for a state that lasts: `alarm.cleared` follows when it is over. */
    standing?: true | undefined;
  }>('error', 'ALARM', {
    counter: 'alarms_total',
    help: 'Things an operator must look at',
    labels: ['name'],
  }),
  'alarm.cleared': event<{ name: StandingName; about: string }>('warn', 'alarm over'),

  'intake.resumed': event<{ cause: string }>('info', 'mail is taken again', {
    counter: 'intake_resumed_total',
    help: 'Times that a shortage was over (its beginning is an alarm)',
    labels: ['cause'],
  }),

  'session.opened': event<Session>(
    'debug',
    'connection opened',
    { counter: 'sessions_total', help: 'Connections taken', labels: ['protocol'] },
    { ...sessionsOpen, by: 1 },
  ),
  'session.closed': event<Session>('debug', 'connection closed', { ...sessionsOpen, by: -1 }),
  'session.refused': event<Session & { reason: string }>('warn', 'connection refused', {
    counter: 'sessions_refused_total',
    help: 'Connections refused',
    labels: ['protocol'],
  }),
  'session.failed': event<Session & Fault>('info', 'connection failed'),
  'login.ok': event<Session & { mailbox: string }>('info', 'logged in', logins('ok')),
  'login.failed': event<Session & { user: string; reason: string }>('warn', 'login failed', logins('failed')),
  'login.throttled': event<Session & { user: string; cause: 'account' | 'network' | 'busy' }>(
    'warn',
    'login throttled',
    { counter: 'logins_throttled_total', help: 'Logins throttled', labels: ['protocol', 'cause'] },
  ),

  'submission.accepted': event<
    Message & { mailbox: string; certified: number; external: number; size: number; ms: number }
  >(
    'info',
    'message accepted',
    { counter: 'submissions_accepted_total', help: 'Messages accepted (accettazione)' },
    { histogram: 'submission_seconds', help: 'From the end of DATA to the 250', value: 'ms' },
  ),
  'submission.limited': event<{ mailbox: string; peer: string; limit: string; retryAfter: number }>(
    'warn',
    'submission put off: the mailbox has sent too much',
    { counter: 'submissions_limited_total', help: 'Submissions put off by a limit', labels: ['limit'] },
  ),
  'submission.refused': event<
    Message & { mailbox: string; reasons: readonly string[]; virus?: string | undefined }
  >('info', 'message refused by a non-accettazione', {
    counter: 'submissions_refused_total',
    help: 'Messages answered by a non-accettazione',
  }),
  'submission.rejected': event<{ mailbox: string; code: number; reason: string }>(
    'info',
    'submission rejected with an SMTP error',
    {
      counter: 'submissions_rejected_total',
      help: 'Submissions rejected with an SMTP error',
      labels: ['code'],
    },
  ),

  'reception.envelope': event<
    Message & { origin: string; delivered: number; refused: number; repeated: number }
  >('info', 'transport envelope received', {
    counter: 'receptions_envelope_total',
    help: 'Transport envelopes taken in charge',
  }),
  'reception.notification': event<Message & { origin: string; kind: string; repeated: boolean }>(
    'info',
    'notification received',
    { counter: 'receptions_notification_total', help: 'Notifications received', labels: ['kind'] },
  ),
  'reception.anomaly': event<{ reason: string; recipients: number }>('info', 'put into an anomaly envelope', {
    counter: 'receptions_anomaly_total',
    help: 'Messages put into an anomaly envelope',
  }),
  'reception.ordinary': event<{
    delivered: number;
    forwarded: number;
    refused: number;
    sender: 'verified' | 'forged' | 'unknown';
  }>('info', 'ordinary mail taken by the rules of its mailboxes', {
    counter: 'ordinary_mail_total',
    help: 'Ordinary messages taken, by what SPF, DKIM and DMARC say of their sender',
    labels: ['sender'],
  }),
  'reception.sender-unchecked': event<{ reason: string }>(
    'warn',
    'the sender of ordinary mail could not be checked',
    { counter: 'senders_unchecked_total', help: 'Senders of ordinary mail that could not be checked' },
  ),
  'reception.ordinary-refused': event<{ reason: string }>('info', 'ordinary mail refused', {
    counter: 'receptions_ordinary_refused_total',
    help: 'Ordinary messages refused',
  }),
  'reception.rejected': event<{ peer: string; code: number; reason: string }>(
    'info',
    'incoming mail rejected with an SMTP error',
    {
      counter: 'receptions_rejected_total',
      help: 'Incoming mail rejected with an SMTP error',
      labels: ['code'],
    },
  ),

  'delivery.notification': event<Message & { origin: string }>('debug', 'notification put into a mailbox'),

  'relay.connected': event<{ destination: string; host: string; tls: string; ms: number }>(
    'debug',
    'connected to a peer',
    {
      histogram: 'relay_connect_seconds',
      help: 'Time to open a connection to a peer',
      value: 'ms',
    },
  ),
  'relay.sent': event<Message & Hop & { answer: string; ms: number }>(
    'info',
    'handed over',
    { counter: 'relay_sent_total', help: 'Messages handed over', labels: ['kind'] },
    { histogram: 'relay_send_seconds', help: 'Time of one SMTP transaction', value: 'ms' },
  ),
  'relay.deferred': event<Message & Hop & Fault & { attempts: number; nextAttempt: string }>(
    'warn',
    'not handed over, to be tried again',
    { counter: 'relay_deferred_total', help: 'Failed tries', labels: ['kind'] },
  ),
  'relay.failed': event<Message & Hop & Fault>('warn', 'can not be handed over', {
    counter: 'relay_failed_total',
    help: 'Messages given up',
    labels: ['kind'],
  }),

  'notice.sent': event<Message & { recipient: string; step: '12h' | '24h' }>(
    'info',
    'notice of silence sent',
    {
      counter: 'notices_total',
      help: 'Notices of silence',
      labels: ['step'],
    },
  ),

  'clock.measured': event<{
    offset: number;
    error: number;
    sources: readonly string[];
    notes?: string | undefined;
  }>('debug', 'system clock measured'),
  'clock.unanswered': event<Fault>('warn', 'system clock not measured'),
  'clock.exact': event<{ offset: number }>('info', 'the system clock is within a second of UTC again'),
  'clock.stepped': event<{ seconds: number }>('warn', 'the system clock was set', {
    counter: 'clock_steps_total',
    help: 'Jumps of the system clock',
  }),

  'registro.sealed': event<{ day: string; part: number; entries: number; root: string }>(
    'info',
    'a day of the register was sealed',
  ),
  'registro.purged': event<{ day: string; entries: number }>(
    'info',
    'a day of the register was deleted by its age',
  ),

  'store.unavailable': event<Fault & { operation: string }>('error', 'the store does not answer', {
    counter: 'store_unavailable_total',
    help: 'Store operations that failed',
  }),
  'antivirus.found': event<{ virus: string; identificativo?: string | undefined }>('warn', 'virus found', {
    counter: 'antivirus_found_total',
    help: 'Infected messages',
  }),
  'antivirus.missed': event<Message & { virus: string; now: 'found' | 'clean' | 'failed' }>(
    'warn',
    'a virus passed our antivirus, another gestore found it',
    {
      counter: 'antivirus_missed_total',
      help: 'Viruses that passed our antivirus, by what it says of the message now',
      labels: ['now'],
    },
  ),
  'antivirus.failed': event<Fault>('error', 'the antivirus does not answer', {
    counter: 'antivirus_failed_total',
    help: 'Scans that failed',
  }),
  'directory.loaded': event<{ source: string; gestori: number; domains: number }>(
    'info',
    'directory loaded',
    {
      counter: 'directory_loaded_total',
      help: 'Directory sources read',
    },
  ),
  'directory.failed': event<Fault & { source: string }>('error', 'directory source refused', {
    counter: 'directory_failed_total',
    help: 'Directory sources that could not be read or verified',
  }),
  'crl.failed': event<Fault & { source: string }>('warn', 'revocation list not available', {
    counter: 'crl_failed_total',
    help: 'Revocation lists that could not be read',
  }),

  'http.request': event<{ method: string; route: string; status: number; ms: number; peer: string }>(
    'debug',
    'HTTP request',
    {
      histogram: 'http_seconds',
      help: 'Time of HTTP requests',
      value: 'ms',
      labels: ['method', 'route', 'status'],
    },
  ),
} as const;

export type EventName = keyof typeof events;
/** The fields of each event. */
export type AllFields = {
  readonly [N in EventName]: (typeof events)[N] extends EventDefinition<infer F> ? F : never;
};
export type EventFields<N extends EventName> = AllFields[N];
