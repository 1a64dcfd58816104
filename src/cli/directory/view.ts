import type { ProviderRecord } from '../../directory/index.js';

/** A gestore of the directory as `--json` prints it. */
export const providerView = (record: ProviderRecord) => ({
  providerName: record.providerName,
  providerUnit: record.providerUnit ?? null,
  mailReceipt: record.mailReceipt,
  managedDomains: record.managedDomains,
  certificateHashes: record.certificateHashes,
  ldifLocationUrl: record.ldifLocationUrl ?? null,
  description: record.description ?? null,
});
