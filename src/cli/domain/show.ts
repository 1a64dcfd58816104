import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from '../../config/index.js';
import { withAccounts } from '../accounts.js';
import { CommandError, type Run } from '../command.js';
import { domainView } from '../views.js';

export const run: Run = (call) =>
  withAccounts(call, async (accounts, { config }) => {
    const domain = await accounts.findDomain(call.argument(0));
    if (domain === undefined) throw new CommandError(`domain ${call.argument(0)} is not managed here`);
    const mailboxes = await accounts.listMailboxes(domain.name);
    const records = dnsRecords(domain.name, config);
    const view = { ...domainView(domain), mailboxes: mailboxes.length };
    if (call.json) {
      call.show({ ...view, dns: records });
      return 0;
    }
    call.show(view);
    call.print('\nDNS records:');
    for (const { name, type, value } of records) call.print(`${name}.  ${type}  ${value}`);
    return 0;
  });

/** What the zone of a managed domain needs so that mail comes in and what goes out is believed (decisions 16). */
function dnsRecords(domain: string, { hostname, provider, dkim }: Config) {
  const sender = domain === provider.mail_domain;
  return [
    { name: domain, type: 'MX', value: `10 ${hostname}.` },
    { name: domain, type: 'TXT', value: `"v=spf1 a:${hostname} -all"` },
    // Envelopes are From posta-certificata@<mail_domain>, whatever domain MAIL FROM has: only there DMARC means us.
    ...(sender
      ? [
          ...(dkim === null
            ? []
            : [{ name: `${dkim.selector}._domainkey.${domain}`, type: 'TXT', value: dkimRecord(dkim.key) }]),
          {
            name: `_dmarc.${domain}`,
            type: 'TXT',
            value: `"v=DMARC1; p=none; rua=mailto:postmaster@${domain}"`,
          },
        ]
      : []),
  ];
}

/** RFC 6376 3.6.1; strings of a TXT record have 255 octets at most. */
function dkimRecord(keyFile: string): string {
  const key = createPublicKey(readFileSync(keyFile)).export({ type: 'spki', format: 'der' });
  const text = `v=DKIM1; k=rsa; p=${key.toString('base64')}`;
  return (text.match(/.{1,250}/g) ?? []).map((piece) => `"${piece}"`).join(' ');
}
