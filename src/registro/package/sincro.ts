import { programVersion } from '../../config/index.js';
import { escapeXml } from '../xml.js';

/** A file of the package. */
export interface PackedFile {
  /** Relative to the index. */
  readonly path: string;
  readonly format: string;
  readonly extension: string;
  /** SHA-256, lower-case hex. */
  readonly hash: string;
}

/** A day with its files. */
export interface PackedDay {
  readonly day: string;
  readonly entries: number;
  /** Merkle root, lower-case hex. */
  readonly root: string;
  readonly files: readonly PackedFile[];
}

export interface IndexRequest {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** The gestore, who made what is kept. */
  readonly provider: { readonly name: string; readonly mailDomain: string; readonly vat: string };
  readonly days: readonly PackedDay[];
  /** ISO 8601. */
  readonly at: string;
  readonly stamped: boolean;
}

const NAMESPACE = 'http://www.uni.com/U3011/sincro-v2/';

/**
 * The index of a conservation package: PIndex of UNI 11386:2020 (SInCRO). The register's days are its file groups; what
 * the standard has no word for (root, number of entries) is in the group's description.
 */
export function sincroIndex(request: IndexRequest): string {
  const { id, from, to, provider, days, at, stamped } = request;
  const law =
    'DPR 68/2005 art. 11; DM 2/11/2005 art. 10; Linee guida AgID sulla formazione, gestione e conservazione dei documenti informatici';
  return `<?xml version="1.0" encoding="UTF-8"?>
<sincro:PIndex xmlns:sincro="${NAMESPACE}" sincroVersion="2.0" language="it" uri="${NAMESPACE}PIndex.xsd">
  <sincro:SelfDescription>
    <sincro:ID scheme="local">${escapeXml(`${id}:PIndex`)}</sincro:ID>
    <sincro:CreatingApplication>
      <sincro:Name>Ceralacca</sincro:Name>
      <sincro:Version>${escapeXml(programVersion())}</sincro:Version>
      <sincro:Producer>Ceralacca</sincro:Producer>
    </sincro:CreatingApplication>
  </sincro:SelfDescription>
  <sincro:PVolume>
    <sincro:ID scheme="local">${escapeXml(id)}</sincro:ID>
    <sincro:Label>Registro PEC ${escapeXml(provider.name)} dal ${from} al ${to}</sincro:Label>
    <sincro:Description>File giornalieri del registro delle operazioni di posta elettronica certificata, con marca temporale</sincro:Description>
  </sincro:PVolume>
${days.map(fileGroup).join('')}  <sincro:Process>
${agent('Submitter', '', provider)}${agent('Holder', ' holderRole="soggetto produttore"', provider)}    <sincro:TimeReference>
      <sincro:TimeInfo attachedTimeStamp="${stamped}">${at}</sincro:TimeInfo>
    </sincro:TimeReference>
    <sincro:LawsAndRegulations>${escapeXml(law)}</sincro:LawsAndRegulations>
  </sincro:Process>
</sincro:PIndex>
`;
}

const fileGroup = ({ day, entries, root, files }: PackedDay): string => `  <sincro:FileGroup>
    <sincro:ID scheme="local">${day}</sincro:ID>
    <sincro:Label>Registro del ${day}</sincro:Label>
    <sincro:Description>Righe: ${entries}. Radice di Merkle (SHA-256): ${root}</sincro:Description>
${files.map(file).join('')}  </sincro:FileGroup>
`;

const file = ({ path, format, extension, hash }: PackedFile): string =>
  `    <sincro:File format="${format}" encoding="binary" extension="${extension}">
      <sincro:ID scheme="local">${escapeXml(path)}</sincro:ID>
      <sincro:Path>${escapeXml(path)}</sincro:Path>
      <sincro:Hash hashFunction="SHA-256">${hash}</sincro:Hash>
    </sincro:File>
`;

const agent = (role: string, attributes: string, { name, vat }: IndexRequest['provider']): string =>
  `    <sincro:${role} agentType="legal person"${attributes}>
      <sincro:AgentID>VATIT-${escapeXml(vat)}</sincro:AgentID>
      <sincro:AgentName>
        <sincro:FormalName>${escapeXml(name)}</sincro:FormalName>
      </sincro:AgentName>
      <sincro:RelevantDocument>Manuale operativo</sincro:RelevantDocument>
    </sincro:${role}>
`;
