import {
  type Header,
  MimeError,
  type Part,
  parseContentType,
  readHeader,
  readStructure,
} from '../mime/index.js';
import { Rope } from '../rope/index.js';

/** Octets of a message/delivery-status part that are read. */
const STATUS_LIMIT = 256 * 1024;

/** What a delivery status notification (RFC 3464) says. */
export interface DeliveryReport {
  /** Message-ID of the returned message, without `<>`: for an envelope of ours, its identificativo. */
  readonly identificativo?: string;
  readonly recipients: readonly {
    /** As the reporting server writes it: Original-Recipient where given, else Final-Recipient. */
    readonly address: string;
    /** `failed`, `delayed`, `delivered`, `relayed`, `expanded`, lower case. */
    readonly action: string;
    /** RFC 3463 status. */
    readonly status: string;
  }[];
}

/** Whether the message says it is a delivery status notification (RFC 6522 3, RFC 3464 2). */
export function isDeliveryReport(header: Header): boolean {
  const { type, subtype, parameters } = parseContentType(header.raw('Content-Type'));
  return (
    type === 'multipart' &&
    subtype === 'report' &&
    parameters.get('report-type')?.trim().toLowerCase() === 'delivery-status'
  );
}

/**
 * Which message a delivery status notification is about (decisions 22).
 * @param message the whole notification
 * @returns undefined when it is none, or cannot be read
 * @throws only what reading the rope throws
 */
export async function readDeliveryReport(message: Rope): Promise<DeliveryReport | undefined> {
  try {
    const structure = await readStructure(message);
    if (!isDeliveryReport(structure.header)) return undefined;
    const returned = structure.children.find((part) => isReturned(part));
    const status = structure.children.find((part) => nameOf(part) === 'message/delivery-status');
    const identificativo = returned && (await messageIdOf(message.slice(returned.bodyStart, returned.end)));
    return {
      ...(identificativo === undefined ? {} : { identificativo }),
      recipients: status ? await recipientsOf(message.slice(status.bodyStart, status.end)) : [],
    };
  } catch (error) {
    if (error instanceof MimeError) return undefined;
    throw error;
  }
}

const nameOf = (part: Part): string => `${part.type.type}/${part.type.subtype}`;

/** RFC 6522 3: the third part is the message, or its header. */
const isReturned = (part: Part): boolean => ['message/rfc822', 'text/rfc822-headers'].includes(nameOf(part));

async function messageIdOf(returned: Rope): Promise<string | undefined> {
  const header = await readHeader(returned);
  return header
    .raw('Message-ID')
    ?.trim()
    .replace(/^<(.*)>$/, '$1');
}

/** RFC 3464 2.1: groups of fields; the first is about the message, each further one about a recipient. */
async function recipientsOf(status: Rope): Promise<DeliveryReport['recipients']> {
  const recipients: { address: string; action: string; status: string }[] = [];
  const groups = (await status.slice(0, STATUS_LIMIT).bytes()).toString('latin1').split(/(?:\r\n){2,}/);
  for (const group of groups.slice(1)) {
    const header = await readHeader(Rope.of(`${group}\r\n\r\n`));
    const named = header.raw('Original-Recipient') ?? header.raw('Final-Recipient');
    if (named === undefined) continue;
    recipients.push({
      address: named.replace(/^[^;]*;\s*/, '').replace(/^<(.*)>$/, '$1'),
      action: header.raw('Action')?.trim().toLowerCase() ?? '',
      status: header.raw('Status')?.trim() ?? '',
    });
  }
  return recipients;
}
