import type { InclusionProof } from '../../ledger/index.js';
import type { DaySeal } from '../../storage/index.js';
import { legalInstant } from '../day.js';
import { escapeXml } from '../xml.js';
import type { Extract, ExtractEntry } from './gather.js';
import { notices, title } from './words.js';

const NAMESPACE = 'urn:ceralacca:estratto:1';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/**
 * The extract for machines. Whoever has it needs no Ceralacca: `foglia` is SHA-256(0x00 || `sale` || `contenuto`), the hashes of
 * `prova` lead from it to the root of the day (RFC 9162 2.1.3.2), and `marca` is an RFC 3161 answer over that root.
 */
export function extractXml(extract: Extract): string {
  const { identificativo, recipient, requestedBy, reason, gestore, at, entries } = extract;
  const seals = new Set(entries.flatMap(({ proof }) => (proof === null ? [] : [proof.seal])));
  return `<?xml version="1.0" encoding="UTF-8"?>
<estratto xmlns="${NAMESPACE}">
  <titolo>${escapeXml(title.it)}</titolo>
${notices(extract)
  .map(({ it }) => `  <avvertenza>${escapeXml(it)}</avvertenza>\n`)
  .join('')}  <gestore>${escapeXml(gestore)}</gestore>
  <data>${legalInstant(at)}</data>
  <richiesta>
    <identificativo>${escapeXml(identificativo)}</identificativo>
${recipient === undefined ? '' : `    <destinatario>${escapeXml(recipient)}</destinatario>\n`}    <richiedente>${escapeXml(requestedBy)}</richiedente>
    <motivo>${escapeXml(reason)}</motivo>
  </richiesta>
${[...seals].map(sealXml).join('')}${entries.map(entryXml).join('')}</estratto>
`;
}

const sealId = ({ day, part }: DaySeal): string => `g${day}.${part}`;

const sealXml = (
  seal: DaySeal,
): string => `  <sigillo id="${sealId(seal)}" giorno="${seal.day}" parte="${seal.part}" righe="${seal.entries}">
    <radice>${hex(seal.root)}</radice>
    <chiuso>${legalInstant(seal.sealedAt)}</chiuso>
${seal.rootToken === null ? '' : `    <marca>${base64(seal.rootToken)}</marca>\n`}  </sigillo>
`;

const entryXml = ({
  row,
  content,
  proof,
}: ExtractEntry): string => `  <riga corsia="${row.lane}" numero="${row.seq}">
    <identificativo>${escapeXml(row.identificativo)}</identificativo>
    <ora>${legalInstant(row.at)}</ora>
    <evento>${escapeXml(row.event)}</evento>
    <mittente>${escapeXml(row.sender)}</mittente>
${list('destinatario', row.recipients)}    <oggetto>${escapeXml(row.subject)}</oggetto>
${list('riferimento', row.related)}    <gestore>${escapeXml(row.gestore)}</gestore>
${details(row.detail)}    <registrata>${legalInstant(row.recordedAt)}</registrata>
    <sale>${hex(row.salt)}</sale>
    <contenuto>${base64(content)}</contenuto>
    <foglia>${hex(row.leaf)}</foglia>
${proof === null ? '' : inclusionXml(proof.seal, proof.inclusion)}  </riga>
`;

const inclusionXml = (
  seal: DaySeal,
  { index, size, path }: InclusionProof,
): string => `    <prova sigillo="${sealId(seal)}" posizione="${index}" foglie="${size}">
${path.map((hash) => `      <hash>${hex(hash)}</hash>\n`).join('')}    </prova>
`;

const list = (name: string, texts: readonly string[]): string =>
  texts.map((text) => `    <${name}>${escapeXml(text)}</${name}>\n`).join('');

const details = (detail: Readonly<Record<string, string>>): string =>
  Object.entries(detail)
    .map(([name, text]) => `    <dettaglio nome="${escapeXml(name)}">${escapeXml(text)}</dettaglio>\n`)
    .join('');
