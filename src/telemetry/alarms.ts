/**
 * Every alarm there is. docs/operate.md says of each what it means and what to do; test/docs compares the two, and looks
 * for the place that gives the alarm.
 */

/** What comes back by itself. */
export const choreNames = [
  'antivirus',
  'crl',
  'directory',
  'orphans',
  'presence',
  'purge',
  'seal',
  'quarantine',
  'signer',
  'silence',
  'spool',
  'sweep',
] as const;
export type ChoreName = (typeof choreNames)[number];

/** States that last: told when they begin and when they are over. One for each chore that may fail comes to them. */
export const stateNames = [
  'antivirus-limit',
  'antivirus-signatures',
  'antivirus-unavailable',
  'clock-offset',
  'clock-unmeasured',
  'crl-unavailable',
  'directory-source',
  'dns-unavailable',
  'own-certificate-untrusted',
  'peer-tls',
  'peer-unreachable',
  'registro-touched',
  'reload-failed',
  'seal-unstamped',
  'signer-unavailable',
  'silence-notice',
] as const;
export type StandingName = (typeof stateNames)[number] | `timer-${ChoreName}`;

/** Things that happen. */
export const occurrenceNames = [
  'blob-damaged',
  'crash',
  'disk-low',
  'domain-claimed-twice',
  'envelope-without-tls',
  'infected-notification',
  'notification-of-nothing',
  'provider-claimed-twice',
  'queue-held',
  'queue-long',
  'sending-limit',
  'store-behind',
  'store-unwritable',
  'summary',
  'virus-missed',
] as const;
export type AlarmName = StandingName | (typeof occurrenceNames)[number];
