/** What no single key can tell: the figures of the law, and keys that must agree with each other. */
import { BlockList, isIP } from 'node:net';
import type { Problem } from './error.js';
import type { Parsed } from './schema.js';
import { lastsThirtyMonths, type Period } from './units.js';

const megabyte = 1024 ** 2;
const hour = 3_600_000;

/** The sections that could be parsed. */
export type Parts = Partial<Parsed>;
type Check = (parts: Parts) => readonly Problem[];

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether an address can only be reached from this machine. */
export function isLoopback(address: string): boolean {
  if (address === 'localhost') return true;
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

const when = (wrong: boolean, path: string, text: string): Problem[] => (wrong ? [{ path, text }] : []);

const needsTesting = '; only "testing: true" allows it';

/** DM 2/11/2005 art. 12: at least 50 recipients, and size x recipients of at least 30 MB. */
function legalLimits({ limits }: Parts): readonly Problem[] {
  if (!limits) return [];
  return [
    ...when(limits.recipients < 50, 'limits.recipients', `the law wants at least 50${needsTesting}`),
    ...when(
      limits.message_size < 30 * megabyte,
      'limits.message_size',
      `the law wants at least 30MB${needsTesting}`,
    ),
    ...when(
      limits.size_times_recipients < 30 * megabyte,
      'limits.size_times_recipients',
      `the law wants at least 30MB${needsTesting}`,
    ),
  ];
}

/** RFC 6109 3.1.6, decisions 3. */
function legalTimers({ timers }: Parts): readonly Problem[] {
  if (!timers) return [];
  const second = timers.second_notice.ms;
  return [
    ...when(timers.first_notice.ms !== 12 * hour, 'timers.first_notice', `the law wants 12h${needsTesting}`),
    ...when(
      second < 22 * hour || second >= 24 * hour,
      'timers.second_notice',
      `must be at least 22h and less than 24h (RFC 6109 3.1.6)${needsTesting}`,
    ),
  ];
}

/** DPR 68/2005 art. 11 and 12; RFC 6109 2.3. */
function legalRetention({ retention }: Parts): readonly Problem[] {
  const periods: [string, Period][] = Object.entries(retention ?? {});
  return periods.flatMap(([name, period]) =>
    when(!lastsThirtyMonths(period), `retention.${name}`, `the law wants at least 30mo${needsTesting}`),
  );
}

function testingOnLoopback({ testing, listen }: Parts): readonly Problem[] {
  const exposed = testing === true && listen !== undefined && !isLoopback(listen.address);
  return when(
    exposed,
    'testing',
    `refused while listen.address is ${listen?.address}: testing is for loopback (127.0.0.1, ::1) only`,
  );
}

function coherentLimits({ limits }: Parts): readonly Problem[] {
  if (!limits) return [];
  const { message_size, hard_size, incoming_size, recipients, recipients_hard } = limits;
  const { spool_size, spool_size_per_address, recipients_per_day } = limits;
  const { incoming_per_minute, connections_per_address } = limits;
  return [
    ...when(
      hard_size !== null && hard_size <= message_size,
      'limits.hard_size',
      'must be larger than limits.message_size',
    ),
    ...when(incoming_size <= message_size, 'limits.incoming_size', 'must be larger than limits.message_size'),
    ...when(recipients_hard < recipients, 'limits.recipients_hard', 'must be at least limits.recipients'),
    ...when(
      recipients_per_day < recipients_hard,
      'limits.recipients_per_day',
      'must be at least limits.recipients_hard',
    ),
    ...when(
      spool_size_per_address < incoming_size,
      'limits.spool_size_per_address',
      'must be at least limits.incoming_size',
    ),
    ...when(
      spool_size < spool_size_per_address,
      'limits.spool_size',
      'must be at least limits.spool_size_per_address',
    ),
    // What makes sure that a gestore is never refused: one message a connection is under way.
    ...when(
      incoming_per_minute < connections_per_address,
      'limits.incoming_per_minute',
      'must be at least limits.connections_per_address',
    ),
  ];
}

function coherentTimers({ timers, relay }: Parts): readonly Problem[] {
  const disorder = timers !== undefined && timers.second_notice.ms <= timers.first_notice.ms;
  const retries = relay !== undefined && relay.first_retry.ms > relay.max_retry.ms;
  return [
    ...when(disorder, 'timers.second_notice', 'must be longer than timers.first_notice'),
    ...when(retries, 'relay.first_retry', 'must not be longer than relay.max_retry'),
  ];
}

/** Servers ask not to be asked more often (RFC 4330 10); the register wants a record each hour at least. */
function clockInterval({ clock }: Parts): readonly Problem[] {
  const interval = clock?.interval.ms ?? 64_000;
  return when(interval < 15_000 || interval > 300_000, 'clock.interval', 'must be from 15s to 5min');
}

function distinctPorts({ listen }: Parts): readonly Problem[] {
  const owners = new Map<number, string>();
  const problems: Problem[] = [];
  for (const [name, port] of Object.entries(listen ?? {})) {
    if (typeof port !== 'number' || port === 0) continue;
    const owner = owners.get(port);
    if (owner !== undefined)
      problems.push({ path: `listen.${name}`, text: `port ${port} is taken by listen.${owner}` });
    else owners.set(port, name);
  }
  return problems;
}

/** Decisions 23: these two addresses mean something else. */
function serviceMailbox({ provider }: Parts): readonly Problem[] {
  const name = provider?.service_mailbox?.split('@')[0]?.toLowerCase() ?? '';
  return when(
    ['posta-certificata', 'postmaster'].includes(name),
    'provider.service_mailbox',
    `${name}@ is reserved and can not be the service mailbox`,
  );
}

const always: readonly Check[] = [
  testingOnLoopback,
  coherentLimits,
  coherentTimers,
  clockInterval,
  distinctPorts,
  serviceMailbox,
];
const unlessTesting: readonly Check[] = [legalLimits, legalTimers, legalRetention];

/** Everything wrong between keys, over those sections that could be parsed. */
export function crossCheck(parts: Parts): readonly Problem[] {
  const checks = parts.testing === true ? always : [...always, ...unlessTesting];
  return checks.flatMap((check) => check(parts));
}
