/**
 * The configuration, key by key. Defaults, descriptions, the reference file, the file that `init` writes, the
 * environment's names and the check of unknown keys all derive from here.
 */
import { z } from 'zod';
import { limits } from './limits.js';
import { parseBlobs, parseClamd, parseDatabase, parseEndpoint, parseResolver } from './units.js';
import {
  domain,
  domainPattern,
  duration,
  host,
  key,
  listenAddress,
  mailAddress,
  period,
  port,
  text,
  webAddress,
  written,
  yesOrNo,
} from './values.js';

/** Turns a path of the file into an absolute one. */
export type ResolvePath = (path: string) => string;

/** Exactly one of several keys: `names` are those present with a value. */
function exactlyOne(value: Readonly<Record<string, unknown>>, names: readonly string[]): string | undefined {
  const present = names.filter((name) => value[name] !== undefined && value[name] !== null);
  if (present.length === 1) return undefined;
  const wanted = names.map((name) => `"${name}"`).join(', ');
  return present.length === 0 ? `needs one of ${wanted}` : `takes only one of ${wanted}`;
}

const provider = z.strictObject({
  name: key(text, {
    description:
      'Name of the gestore, as in the directory of gestori (providerName) and in its signing certificate.',
    example: 'Alfa PEC S.p.A.',
  }),
  mail_domain: key(domain, {
    description: 'Domain of the address that signs: posta-certificata@<mail_domain>.',
    example: 'pec.alfa.example',
  }),
  service_mailbox: key(mailAddress.nullable(), {
    description:
      'Mailbox of the gestore for "presa in carico" and virus notices (mailReceipt of the directory). null: ricevute@<mail_domain>.',
    default: null,
  }),
});

const listen = z.strictObject({
  address: key(listenAddress, { description: 'Address of all listeners.', default: '127.0.0.1' }),
  submission: key(port, { description: 'Submission over TLS (SMTPS).', default: 465 }),
  submission_starttls: key(port, { description: 'Submission with STARTTLS.', default: 587 }),
  mx: key(port, { description: 'Mail from other gestori and from the Internet.', default: 25 }),
  pop3s: key(port, { description: 'POP3 over TLS.', default: 995 }),
  imaps: key(port, { description: 'IMAP over TLS.', default: 993 }),
  https: key(port, { description: 'Webmail, panels, API, metrics.', default: 443 }),
  pop3: key(port, { description: 'POP3 with STARTTLS.', default: false }),
  imap: key(port, { description: 'IMAP with STARTTLS.', default: false }),
});

function tls(path: z.ZodType<string, string>) {
  return z.strictObject({
    cert: key(path, {
      description: 'Certificate of the host name, with its chain (PEM).',
      default: 'certs/tls.pem',
      reload: true,
    }),
    key: key(path, {
      description: 'Its private key (PEM), mode 0600.',
      default: 'certs/tls.key',
      reload: true,
    }),
    ca: key(path.nullable(), {
      description: 'CA to hand out at /ca.pem when clients do not know it; null otherwise.',
      default: null,
      example: 'certs/ca.pem',
      reload: true,
    }),
  });
}

function signing(path: z.ZodType<string, string>) {
  const pkcs11 = z.strictObject({
    module: key(path, { description: 'Shared library of the device.' }),
    slot: key(z.int().min(0), { description: 'Slot number.' }),
    pin_file: key(path, { description: 'File with the PIN, mode 0600.' }),
    label: key(text, { description: 'Label of the key.' }),
  });
  const signingKey = z
    .strictObject({
      file: key(path.optional(), { description: 'Private key: PEM or PKCS#12, mode 0600.' }),
      passphrase_file: key(path.nullable().prefault(null), {
        description: 'File with its passphrase, where it has one.',
      }),
      pkcs11: key(pkcs11.optional(), { description: 'A key inside a PKCS#11 device.' }),
    })
    .transform((value, context) => {
      const fault = exactlyOne(value, ['file', 'pkcs11']);
      if (value.pkcs11 && fault === undefined) return { kind: 'pkcs11' as const, ...value.pkcs11 };
      if (value.file !== undefined && fault === undefined) {
        return { kind: 'file' as const, file: value.file, passphrase_file: value.passphrase_file };
      }
      context.addIssue({ code: 'custom', message: fault ?? 'needs a file' });
      return z.NEVER;
    });
  return z.strictObject({
    key: key(signingKey, {
      description:
        'The key that seals envelopes and receipts: {file, passphrase_file} or {pkcs11: {module, slot, pin_file, label}}.',
      default: { file: 'certs/signing.key' },
    }),
    certificate: key(path, {
      description: 'Its certificate, with the PEC profile (RFC 6109 5.5).',
      default: 'certs/signing.pem',
    }),
    chain: key(path.nullable(), { description: 'Intermediate certificates (PEM), if any.', default: null }),
  });
}

function storage(resolve: ResolvePath) {
  return z.strictObject({
    database: key(
      written('sqlite:data/ceralacca.db', (value) => parseDatabase(value, resolve)),
      {
        description: '"sqlite:<file>" or "postgres://...".',
        default: 'sqlite:data/ceralacca.db',
      },
    ),
    blobs: key(
      written('file:data/blobs', (value) => parseBlobs(value, resolve)),
      {
        description: '"file:<folder>" or "s3://bucket?endpoint=...".',
        default: 'file:data/blobs',
      },
    ),
  });
}

function directory(path: z.ZodType<string, string>) {
  const client = z.strictObject({
    cert: key(path, {
      description: 'Client certificate: the directory is reached with the key of the gestore.',
    }),
    key: key(path, { description: 'Its key, mode 0600.' }),
  });
  const ldapAddress = z.url({ protocol: /^ldaps?$/, error: 'must be an ldap or ldaps address' });
  const source = z
    .strictObject({
      file: key(path.optional(), { description: 'An LDIF file, plain or signed (.ldif.p7m).' }),
      url: key(webAddress.optional(), { description: 'The same over HTTPS.' }),
      ldap: key(ldapAddress.optional(), { description: 'An LDAP server.' }),
      trust: key(path.nullable().prefault(null), {
        description: 'CA certificates (PEM) this source and its gestori are believed on.',
      }),
      client: key(client.nullable().prefault(null), { description: 'Client certificate for url and ldap.' }),
    })
    .transform(({ file, url, ldap, trust, client: identity }, context) => {
      const fault = exactlyOne({ file, url, ldap }, ['file', 'url', 'ldap']);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
      if (file !== undefined) return { kind: 'file' as const, file, trust };
      if (url !== undefined) return { kind: 'url' as const, url, trust, client: identity };
      return { kind: 'ldap' as const, url: ldap ?? '', trust, client: identity };
    });
  const crl = z
    .strictObject({
      file: key(path.optional(), { description: 'A certificate revocation list, DER or PEM.' }),
      url: key(webAddress.optional(), { description: 'The same over HTTP.' }),
    })
    .transform(({ file, url }, context) => {
      const fault = exactlyOne({ file, url }, ['file', 'url']);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
      return file === undefined ? { kind: 'url' as const, url: url ?? '' } : { kind: 'file' as const, file };
    });
  return z.strictObject({
    sources: key(z.array(source), {
      description:
        'Where the directory of gestori comes from, beside what `directory import` put in the store.',
      default: [],
      example: [{ file: 'config/gestori.ldif.p7m', trust: 'certs/directory-ca.pem' }],
    }),
    crl: key(z.array(crl), {
      description: 'Revocation lists, beside those the certificates point to.',
      default: [],
      example: [{ url: 'http://ca.example/pec.crl' }],
    }),
    refresh: key(duration, { description: 'How often sources and lists are read again.', default: '24h' }),
    publish: key(yesOrNo, {
      description: 'Whether our own record is offered, signed, at /igpec/provider.ldif.p7m.',
      default: true,
    }),
  });
}

function antivirus(resolve: ResolvePath) {
  return z
    .strictObject({
      clamd: key(written('tcp://127.0.0.1:3310', (value) => parseClamd(value, resolve)).optional(), {
        description: 'ClamAV: "tcp://127.0.0.1:3310" or "unix:/run/clamav/clamd.ctl".',
      }),
      builtin: key(z.literal('eicar', { error: 'must be eicar' }).optional(), {
        description: 'Finds only the EICAR test file; for trials.',
      }),
    })
    .transform((value, context) => {
      const fault = exactlyOne(value, ['clamd', 'builtin']);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
      if (value.clamd === undefined) return { kind: 'builtin' as const, builtin: 'eicar' as const };
      return { kind: 'clamd' as const, clamd: value.clamd };
    });
}

function relay(path: z.ZodType<string, string>) {
  const route = written('mail.beta.example:25', (value) => parseEndpoint(value, 25));
  const routeKey = z
    .string()
    .toLowerCase()
    .refine((value) => value === '*' || domainPattern.test(value), 'must be a domain, or "*" for all others');
  const giveUp = z.strictObject({
    envelopes: key(duration, {
      description: 'Transport envelopes; the second notice takes over.',
      default: '24h',
    }),
    notifications: key(duration, {
      description: 'Receipts and notices; then held with an alarm.',
      default: '5d',
    }),
  });
  return z.strictObject({
    routes: key(z.record(routeKey, route), {
      description:
        'Domain -> host:port, instead of its MX. "*" serves external recipients only (RFC 6109 5.3). TLS names are checked against the route as written.',
      default: {},
      example: { 'pec.beta.example': '127.0.0.1:20025' },
    }),
    dns: key(z.array(written('192.0.2.53', parseResolver)), {
      description: 'DNS resolvers; empty: those of the system.',
      default: [],
      example: ['192.0.2.53'],
    }),
    require_tls: key(yesOrNo, {
      description:
        'Certified mail leaves over TLS or not at all; the names of peers are verified when tls_ca is given.',
      default: true,
    }),
    tls_ca: key(z.array(path), {
      description:
        'CA files (PEM) the TLS certificates of other gestori are verified against; none: not verified.',
      default: [],
      example: ['certs/ca.pem'],
    }),
    smart_host: key(route.nullable(), {
      description: 'host:port for external recipients; certified mail goes gestore to gestore.',
      default: null,
    }),
    give_up: key(giveUp, { description: 'How long sending is tried.', default: {} }),
    first_retry: key(duration, {
      description: 'Wait after the first failure; it doubles each time.',
      default: '2s',
    }),
    max_retry: key(duration, { description: 'Longest wait between two tries.', default: '15min' }),
  });
}

const imap = z.strictObject({
  compress: key(yesOrNo, {
    description:
      'Whether mail programs may have what is said compressed (COMPRESS=DEFLATE, RFC 4978): less traffic, some 220KB of memory a session; what is compressed beside a secret can tell of it by its length.',
    default: false,
  }),
});

const policy = z.strictObject({
  ordinary_mail: key(z.enum(['reject', 'anomaly'], { error: 'must be reject or anomaly' }), {
    description:
      'Ordinary mail for mailboxes that set no rule: refused, or delivered in an anomaly envelope.',
    default: 'reject',
  }),
});

const timers = z.strictObject({
  first_notice: key(duration, {
    description: 'Silence after which the sender gets the first notice. The law wants 12h.',
    default: '12h',
  }),
  second_notice: key(duration, {
    description: 'The second notice; from 22h to before 24h (RFC 6109 3.1.6).',
    default: '23h',
  }),
});

const clock = z.strictObject({
  ntp: key(z.array(written('ntp1.inrim.it', (value) => parseEndpoint(value, 123))), {
    description:
      'NTP servers the system clock is measured against, host or host:port; three or more, so that one that is wrong is outvoted.',
    default: [],
    example: ['ntp1.inrim.it', 'ntp2.inrim.it'],
  }),
  chrony: key(yesOrNo, {
    description: 'Whether the chronyd of this machine is asked too (chronyc -c tracking).',
    default: false,
  }),
  interval: key(duration, { description: 'How often, from 15s to 5min.', default: '64s' }),
});

const retention = z.strictObject({
  registro: key(period, { description: 'Register. The law wants 30 months.', default: '30mo' }),
  receipts: key(period, { description: 'Receipts issued and received, as bytes.', default: '30mo' }),
  quarantine: key(period, { description: 'Infected messages. The law wants 30 months.', default: '30mo' }),
});

function quarantine(path: z.ZodType<string, string>) {
  return z.strictObject({
    key: key(path, {
      description:
        'File of keys that infected messages are kept under, mode 0600; made where there is none. Keep a copy of it outside.',
      default: 'certs/quarantine.key',
    }),
  });
}

const web = z.strictObject({
  public_url: key(webAddress.nullable(), {
    description: 'Address users see. null: https://<hostname> with the https port.',
    default: null,
    example: 'https://webmail.alfa.example',
  }),
  metrics_allow: key(z.array(text), {
    description: 'Addresses and networks that may read /metrics.',
    default: ['127.0.0.1', '::1'],
  }),
});

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const log = z.strictObject({
  level: key(z.enum(levels, { error: `must be one of ${levels.join(', ')}` }), {
    description: `Least important line written: ${levels.join(', ')}.`,
    default: 'info',
  }),
  pretty: key(yesOrNo, { description: 'Plain text for eyes instead of JSON.', default: false }),
});

/** The sections of the file, each with its schema; paths become absolute through `resolve`. */
export function sections(resolve: ResolvePath) {
  const path = text.transform(resolve);
  const timestamp = z.strictObject({
    url: key(webAddress, { description: 'Time stamping authority (RFC 3161).' }),
    ca: key(path, { description: 'CA (PEM) its tokens are checked against.' }),
    second: key(
      z
        .strictObject({
          url: key(webAddress, { description: 'Another authority.' }),
          ca: key(path, { description: 'CA (PEM) its tokens are checked against.' }),
        })
        .nullable()
        .prefault(null),
      { description: 'Who is asked when the first does not answer; null for nobody.' },
    ),
  });
  const dkim = z.strictObject({
    selector: key(z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be one DNS label'), {
      description: 'Selector: the key is published at <selector>._domainkey.<mail_domain>.',
      example: 'pec',
    }),
    key: key(path, { description: 'Private key (PEM), mode 0600.', example: 'certs/dkim.key' }),
  });
  return {
    provider: key(provider, { description: 'Who this gestore is.' }),
    hostname: key(host, {
      description: 'Name of this host, in banners and in its TLS certificate.',
      example: 'mail.alfa.example',
    }),
    listen: key(listen, { description: 'Where it listens; each port is a number or false.', default: {} }),
    tls: key(tls(path), { description: 'TLS of every listener.', default: {}, reload: true }),
    signing: key(signing(path), { description: 'The signature of the gestore.', default: {} }),
    dkim: key(dkim.nullable(), {
      description:
        'DKIM signature of what leaves for ordinary recipients; null for none. `ceralacca domain show` prints its DNS record.',
      default: null,
      example: { selector: 'pec', key: 'certs/dkim.key' },
    }),
    storage: key(storage(resolve), { description: 'Where everything is kept.', default: {} }),
    directory: key(directory(path), { description: 'Directory of gestori (IGPEC).', default: {} }),
    antivirus: key(antivirus(resolve), {
      description:
        'Antivirus: {clamd: "tcp://127.0.0.1:3310"}, {clamd: "unix:/run/clamav/clamd.ctl"} or, for trials, {builtin: eicar}. Without one nothing starts.',
      example: { clamd: 'tcp://127.0.0.1:3310' },
    }),
    quarantine: key(quarantine(path), {
      description: 'Infected messages, kept encrypted (RFC 6109 2.2.4).',
      default: {},
    }),
    timestamp: key(timestamp.nullable(), {
      description: 'Time stamps for the daily seal of the register; null for none.',
      default: null,
      example: { url: 'https://tsa.example/tsr', ca: 'certs/tsa-ca.pem' },
    }),
    relay: key(relay(path), { description: 'Outbound mail.', default: {} }),
    limits: key(limits, { description: 'Limits. KB, MB, GB are powers of 1024.', default: {} }),
    imap: key(imap, { description: 'IMAP, whose ports stand under listen.', default: {} }),
    policy: key(policy, { description: 'What is done where users chose nothing.', default: {} }),
    testing: key(yesOrNo, {
      description:
        'For demos and tests on loopback only: allows figures below the legal ones, login without TLS, no rate limits, retries within 3 s, the system clock taken as true.',
      default: false,
    }),
    timers: key(timers, { description: 'Notices of silence.', default: {} }),
    clock: key(clock, {
      description:
        'How the system clock is measured. Off by more than a second nothing is certified (DM 2/11/2005 art. 9); without a source it is believed, with a warning.',
      default: {},
    }),
    retention: key(retention, {
      description: 'How long things are kept (DPR 68/2005 art. 11).',
      default: {},
    }),
    web: key(web, { description: 'HTTPS.', default: {} }),
    log: key(log, { description: 'Logs, on standard output.', default: {} }),
  };
}

export type Sections = ReturnType<typeof sections>;
/** What the file says once parsed, before what is derived from it. */
export type Parsed = { readonly [K in keyof Sections]: z.output<Sections[K]> };
