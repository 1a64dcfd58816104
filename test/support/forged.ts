/** Envelopes and notices as any gestore, honest or not, would seal them. */
import { randomBytes } from 'node:crypto';
import { Issuer, type Issuer as IssuerOf } from '../../src/issuing/index.js';
import { readHeader } from '../../src/mime/index.js';
import {
  type Certified,
  type Composed,
  composeEnvelope,
  composePostacert,
  identificativo,
  legalTime,
  type Notification,
  type ReceiptType,
} from '../../src/pec/index.js';
import { Rope } from '../../src/rope/index.js';
import { type Signer, seal } from '../../src/smime/index.js';
import { letter } from '../e2e/letters.js';

/** Who seals. */
export interface Sealer {
  readonly name: string;
  readonly mailDomain: string;
  readonly signer: Signer;
}

export interface ForgedEnvelope {
  readonly by: Sealer;
  readonly sender: string;
  /** `destinatari`, all certified. */
  readonly recipients: readonly string[];
  /** To of the original; `recipients` where not given. */
  readonly to?: readonly string[];
  readonly cc?: readonly string[];
  readonly subject?: string;
  /** A fresh one where not given. */
  readonly identificativo?: string;
  readonly receiptType?: ReceiptType;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly body?: string;
  /** The whole original, in place of a letter made from the rest. */
  readonly original?: Buffer;
  /** Spoils it before it is signed. */
  readonly change?: (composed: Composed) => Composed | Promise<Composed>;
}

/** An identificativo of a domain that nobody has used. */
export const freshId = (at: number, mailDomain: string): string =>
  identificativo(legalTime(at), randomBytes(12).toString('hex'), mailDomain);

/** A transport envelope, signed. */
export async function forgedEnvelope(forged: ForgedEnvelope): Promise<{ id: string; bytes: Buffer }> {
  const { by, sender, recipients, subject = 'Prova', at, change } = forged;
  const id = forged.identificativo ?? freshId(at, by.mailDomain);
  const original =
    forged.original ??
    letter({
      from: sender,
      to: forged.to ?? recipients,
      subject,
      ...(forged.cc === undefined ? {} : { cc: forged.cc }),
      ...(forged.body === undefined ? {} : { body: forged.body }),
    });
  const header = await readHeader(Rope.of(original));
  const received = 'Received: from client.example ([192.0.2.7])\r\n\tby mail.example; data\r\n';
  const postacert = composePostacert({ original: Rope.of(original), header, identificativo: id, received });
  const composed = composeEnvelope({
    provider: by,
    time: legalTime(at),
    certified: certified({ ...forged, subject }, id),
    receiptType: forged.receiptType ?? 'completa',
    originalHeader: header,
    postacert: postacert.rope,
    mailFrom: sender,
    received,
  });
  const sealed = await seal((await change?.(composed)) ?? composed, by.signer, at);
  return { id, bytes: await sealed.bytes(256 * 1024 * 1024) };
}

export interface ForgedNotice {
  readonly by: Sealer;
  readonly to: string;
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly subject?: string;
  readonly identificativo: string;
  readonly at: number;
  readonly notification: Notification;
}

/** A notification, signed. */
export async function forgedNotice(forged: ForgedNotice): Promise<Buffer> {
  const { by, to, at, notification } = forged;
  const sealed = await issuerOf(by).notification({
    time: legalTime(at),
    to,
    certified: certified({ subject: 'Prova', ...forged }, forged.identificativo),
    notification,
  });
  return sealed.rope.bytes(256 * 1024 * 1024);
}

/** Somebody's office. */
export const issuerOf = ({ name, mailDomain, signer }: Sealer): IssuerOf =>
  new Issuer({ name, mailDomain }, () => signer);

const certified = (
  forged: { readonly sender: string; readonly recipients: readonly string[]; readonly subject: string },
  id: string,
): Certified => ({
  identificativo: id,
  sender: forged.sender,
  recipients: forged.recipients.map((address) => ({ address, kind: 'certificato' })),
  replyTo: forged.sender,
  subject: forged.subject,
});

/** A change that replaces text of the entity, before it is signed. */
export const replacing =
  (from: string | RegExp, to: string) =>
  async (composed: Composed): Promise<Composed> => {
    const text = (await composed.entity.bytes()).toString('latin1');
    return { ...composed, entity: Rope.of(changed(text, from, to)) };
  };

/** A change of the outer header, which nobody signs. */
export const outer =
  (from: string | RegExp, to: string) =>
  (composed: Composed): Composed => ({
    ...composed,
    header: changed(composed.header.toString('latin1'), from, to),
  });

/** A change of daticert.xml. */
export const daticert =
  (from: string | RegExp, to: string) =>
  async (composed: Composed): Promise<Composed> => {
    const text = (await composed.entity.bytes()).toString('latin1');
    const place = /(filename="daticert.xml"\r\nContent-Transfer-Encoding: base64\r\n\r\n)([^-]*)\r\n/;
    const found = place.exec(text);
    if (found === null) throw new Error('the entity has no daticert.xml');
    const [, head = '', base64 = ''] = found;
    const xml = changed(Buffer.from(base64, 'base64').toString('utf8'), from, to);
    const encoded = Buffer.from(xml, 'utf8').toString('base64').replace(/.{60}/g, '$&\r\n');
    return { ...composed, entity: Rope.of(text.replace(place, () => `${head}${encoded}\r\n\r\n`)) };
  };

function changed(text: string, from: string | RegExp, to: string): string {
  const result = text.replace(from, () => to);
  if (result === text) throw new Error(`nothing to change: ${from}`);
  return result;
}
