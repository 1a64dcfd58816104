import { type Header, MimeError, readHeader } from '../mime/index.js';
import { type Classified, classify, type Daticert, instantOf } from '../pec/index.js';
import { Rope } from '../rope/index.js';
import { type CryptoPort, readSigned, type SignedMessage, type Verdict } from '../smime/read/index.js';
import { type Quoting, unquotedForms } from './archive/mbox.js';
import { describeOriginal, receiptFormOf } from './carried-original.js';
import { compareOriginal, isAbout, type SuppliedOriginal } from './compare-original.js';
import { titleOf } from './kinds.js';
import { canonicalLines, type LineEnds } from './line-ends.js';
import { messagesIn } from './nested.js';
import { originOf } from './origin.js';
import {
  type CarriedOriginal,
  type CertifiedFacts,
  type EvidenceReport,
  type Finding,
  finding,
  type SignatureFacts,
  sorted,
} from './report.js';
import { readCms, studySignature } from './signature-findings.js';
import { readContent, type SignedContent } from './signed-content.js';
import { anomalyAttestation, attestations, limitsOf } from './statements.js';
import { fileFindings, type HashedFile } from './supplied-files.js';
import { timesOf } from './times.js';
import type { TrustMaterial } from './trust-material.js';
import { isoTime } from './words.js';

/** Messages inside messages that are looked into. */
const DEPTH = 3;

export interface EvidenceQuestion {
  /** How the report calls the file. */
  readonly file: string;
  readonly bytes: Buffer;
  /** The message as its sender kept it. */
  readonly original?: SuppliedOriginal | undefined;
  /** Attachments as somebody kept them, to compare with the hashes of a brief receipt. */
  readonly files?: readonly HashedFile[];
  /** It was kept in an mbox, which marks lines that begin with `From `: those marks are undone if the signature wants it. */
  readonly fromMbox?: boolean;
  readonly trust: TrustMaterial;
  readonly crypto: CryptoPort;
  /** Epoch milliseconds: nothing is judged by it but what happened since. */
  readonly now: number;
}

type Surroundings = Pick<EvidenceQuestion, 'trust' | 'crypto' | 'now'>;

interface Subject extends Surroundings {
  readonly file: string;
  readonly message: Rope;
  readonly original: SuppliedOriginal | undefined;
  readonly files: readonly HashedFile[];
  readonly depth: number;
}

/**
 * Says of a saved message what it is, what it proves, what not, and how sure that is. Offline: nothing but the file, the
 * original if there is one, and the trust material is looked at. Nothing is thrown for what the files hold.
 */
export async function verifyEvidence(question: EvidenceQuestion): Promise<EvidenceReport> {
  const asItStands = await verifyBytes(question, []);
  if (question.fromMbox !== true || !isAltered(asItStands)) return asItStands;
  return unquotedReport(question, asItStands);
}

async function verifyBytes(question: EvidenceQuestion, before: readonly Finding[]): Promise<EvidenceReport> {
  const { bytes, ends } = canonicalLines(question.bytes);
  const { file, original, files = [], trust, crypto, now } = question;
  const subject = { file, message: Rope.of(bytes), original, files, trust, crypto, now, depth: 0 };
  return examineMessage(subject, [...before, ...lineEndFindings(ends), ...trust.remarks]);
}

const isAltered = ({ reasons }: EvidenceReport): boolean => reasons.some(({ code }) => code === 'altered');

/** Which marks a mailbox program put into the message nobody noted: the signature tells. */
async function unquotedReport(
  question: EvidenceQuestion,
  asItStands: EvidenceReport,
): Promise<EvidenceReport> {
  const forms = unquotedForms(question.bytes);
  for (const { quoting, bytes } of forms) {
    const report = await verifyBytes({ ...question, bytes }, [unquoted(quoting)]);
    if (!isAltered(report)) return report;
  }
  return forms.length === 0
    ? asItStands
    : { ...asItStands, remarks: [...asItStands.remarks, quotingUnclear] };
}

const unquoted = (quoting: Quoting): Finding =>
  finding(
    'mbox-unquoted',
    'remark',
    `Il programma che conservava la posta aveva messo ">" davanti a righe che cominciano con "From " (mbox, uso ${quoting}): prima della verifica è stato tolto.`,
    `The program that kept the mail had put ">" before lines that begin with "From " (mbox, as ${quoting} does): before verifying it was taken away.`,
  );

const quotingUnclear = finding(
  'mbox-quoting-unclear',
  'remark',
  'Il messaggio viene da una casella mbox e ha righe che cominciano con ">From ": può averle cambiate il programma che conservava la posta. Tolto il ">", nei modi noti, la firma non torna. Un’altra copia del messaggio può essere intatta.',
  'The message comes from an mbox and has lines that begin with ">From ": the program that kept the mail may have changed them. With the ">" taken away, in the known ways, the signature still does not fit. Another copy of the message may be intact.',
);

function lineEndFindings(ends: LineEnds): Finding[] {
  if (ends === 'crlf') return [];
  if (ends === 'lf') {
    return [
      finding(
        'line-ends-restored',
        'remark',
        'Il file ha righe terminate da LF, come lo salvano alcuni programmi: prima della verifica sono state riportate a CRLF, come viaggia la posta.',
        'The lines of the file end in LF, as some programs save it: before verifying they were given CRLF again, as mail travels.',
      ),
    ];
  }
  return [
    finding(
      'line-ends-mixed',
      'remark',
      'Il file mescola righe terminate da CRLF e da altro: è stato preso così com’è.',
      'The file mixes lines that end in CRLF with others: it was taken as it is.',
    ),
  ];
}

async function examineMessage(subject: Subject, before: readonly Finding[]): Promise<EvidenceReport> {
  let outer: Header;
  try {
    outer = await readHeader(subject.message);
  } catch (error) {
    if (!(error instanceof MimeError)) throw error;
    return unsignedReport(subject, [...before, unreadable(error)], []);
  }
  const claimed = classify(outer);
  const signed = await readSigned(subject.message, outer);
  if (signed !== undefined) return signedReport(subject, before, { outer, claimed, signed });
  const nested = await nestedReports(subject, await messagesIn(subject.message));
  return unsignedReport(subject, [...before, unsigned(claimed)], nested);
}

const unreadable = ({ message }: MimeError): Finding =>
  finding(
    'unreadable',
    'open',
    `Il file non è un messaggio di posta leggibile (${message}).`,
    `The file is no readable mail message (${message}).`,
  );

const unsigned = (claimed: Classified): Finding =>
  claimed.signed
    ? finding(
        'not-signed',
        'open',
        'Il messaggio si presenta come firmato, ma non è fatto di una parte firmata e di una firma: la firma manca o il file è troncato.',
        'The message presents itself as signed, but is not made of a signed part and a signature: the signature is missing or the file was cut short.',
      )
    : finding(
        'not-signed',
        'open',
        'Il messaggio non è firmato da un gestore: non è una busta, né una ricevuta, né un avviso di posta certificata.',
        'The message is not signed by a gestore: it is no envelope, receipt or notice of certified mail.',
      );

function unsignedReport(
  { file }: Subject,
  findings: readonly Finding[],
  nested: readonly EvidenceReport[],
): EvidenceReport {
  return {
    file,
    ...sorted(findings),
    kind: 'ordinario',
    title: titleOf('ordinario'),
    attests: [],
    doesNotProve: limitsOf('ordinario', null, null),
    certified: null,
    original: null,
    signature: null,
    directory: null,
    nested,
  };
}

interface Signed {
  readonly outer: Header;
  readonly claimed: Classified;
  readonly signed: SignedMessage;
}

async function signedReport(
  subject: Subject,
  before: readonly Finding[],
  { outer, claimed, signed }: Signed,
): Promise<EvidenceReport> {
  const { trust, crypto, now } = subject;
  const content = await readContent(outer, signed.entity, claimed);
  const { kind, daticert, postacert } = content;
  const cms = readCms(signed.cms);
  const times = timesOf(daticert, cms.signingTime, now);
  const study =
    cms.fault === undefined ? await studySignature({ signed, outer, times, trust, crypto, now }) : undefined;
  const signer = study?.verdict.signer;
  const origin = originOf(signer, daticert, trust);
  const facts = daticert === undefined ? null : factsOf(daticert, postacert);
  const original =
    postacert === undefined ? null : await describeOriginal(postacert, facts?.receiptForm ?? null, crypto);
  const findings = [
    ...before,
    ...(cms.fault === undefined ? [] : [cms.fault]),
    ...(study?.findings ?? []),
    ...origin.findings,
    ...times.findings,
    ...content.findings,
    ...(await originalFindings(subject, content, facts)),
    ...fileFindings(original, subject.files),
  ];
  const gestore =
    origin.directory?.providerName ??
    signer?.organization ??
    signer?.commonName ??
    daticert?.gestoreEmittente ??
    '?';
  return {
    file: subject.file,
    ...sorted(findings),
    kind,
    title: titleOf(kind, daticert, facts?.receiptForm),
    attests: attestsOf(gestore, content, facts, original),
    doesNotProve: limitsOf(kind, facts, original),
    certified: facts,
    original,
    signature: study === undefined ? null : signatureFacts(study.verdict),
    directory: origin.directory,
    nested: await nestedReports(subject, await innerMessages(content)),
  };
}

async function originalFindings(
  { original, crypto }: Subject,
  { postacert, daticert }: SignedContent,
  facts: CertifiedFacts | null,
): Promise<readonly Finding[]> {
  if (original === undefined) return [];
  const brief = facts?.receiptForm === 'breve';
  const msgid = daticert?.msgid;
  if (original.onlyIfAbout === true && !(await isAbout(original, { msgid, postacert }))) return [];
  return compareOriginal({ original, postacert, brief, msgid, crypto });
}

function attestsOf(
  gestore: string,
  { kind }: SignedContent,
  facts: CertifiedFacts | null,
  original: CarriedOriginal | null,
) {
  if (facts !== null) return attestations(gestore, facts, original);
  return kind === 'anomalia' ? anomalyAttestation(gestore, original) : [];
}

function factsOf(daticert: Daticert, postacert: Rope | undefined): CertifiedFacts {
  const { tipo, errore, giorno, ora, zona, identificativo } = daticert;
  return {
    tipo,
    errore,
    provider: daticert.gestoreEmittente,
    giorno,
    ora,
    zona,
    time: isoTime(instantOf(giorno, ora, zona)),
    identificativo,
    messageId: daticert.msgid ?? null,
    sender: daticert.mittente,
    recipients: daticert.destinatari,
    subject: daticert.oggetto ?? null,
    receipt: daticert.ricevuta ?? null,
    receiptForm: receiptFormOf(daticert, postacert),
    recipient: daticert.consegna ?? null,
    takenInCharge: daticert.ricezione,
    errorText: daticert.erroreEsteso ?? null,
  };
}

function signatureFacts({ signer, entityDigest, digestAlgorithm, signingTime }: Verdict): SignatureFacts {
  return {
    entitySha256: entityDigest,
    digestAlgorithm: digestAlgorithm ?? null,
    signingTime: isoTime(signingTime),
    signer:
      signer === undefined
        ? null
        : {
            organization: signer.organization ?? null,
            commonName: signer.commonName ?? null,
            emails: signer.emails,
            issuer: signer.issuer,
            sha1: signer.sha1,
            sha256: signer.sha256,
            notBefore: isoTime(signer.notBefore) ?? '',
            notAfter: isoTime(signer.notAfter) ?? '',
          },
  };
}

// ------------------------------------------------------------------------------------------------------------ nested

/** An anomaly carries a message that may be a PEC one; elsewhere a receipt may be attached to what the user wrote. */
async function innerMessages({ kind, postacert }: SignedContent) {
  if (postacert === undefined) return [];
  return kind === 'anomalia' ? [{ name: 'postacert.eml', message: postacert }] : messagesIn(postacert);
}

async function nestedReports(
  subject: Subject,
  inner: readonly { readonly name: string; readonly message: Rope }[],
): Promise<EvidenceReport[]> {
  if (subject.depth >= DEPTH) return [];
  const reports: EvidenceReport[] = [];
  for (const { name, message } of inner) {
    const file = `${subject.file} > ${name}`;
    // What was handed in is the original of the file, not of what is inside it.
    const report = await examineMessage(
      { ...subject, file, message, original: undefined, files: [], depth: subject.depth + 1 },
      [],
    );
    // Ordinary mail inside is no news; what it carries may be.
    reports.push(...(report.kind === 'ordinario' ? report.nested : [report]));
  }
  return reports;
}
