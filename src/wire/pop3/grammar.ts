/** The arguments of POP3's commands. */
import { readText } from './text.js';

export type Fault = 'argument-missing' | 'argument-unexpected' | 'argument-malformed' | 'number-malformed';

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: Fault };

/** Reads what follows a command's keyword and its space; undefined when nothing does. */
export type Grammar<T> = (argument: Buffer | undefined) => Parsed<T>;

/** As the client counts them: the first is 1. One that no message has is still well formed. */
export type MessageNumber = number;

export interface MessageAndLines {
  readonly message: MessageNumber;
  /** Lines of the body, none at all included. */
  readonly lines: number;
}

export interface SaslStart {
  /** Upper case; undefined when the client only asks which there are. */
  readonly mechanism: string | undefined;
  /** Base64 as it came, or `=` for an empty one (RFC 5034 4). */
  readonly initialResponse: string | undefined;
}

const fine = <T>(value: T): Parsed<T> => ({ ok: true, value });
const wrong = (fault: Fault): Parsed<never> => ({ ok: false, fault });

/** Ten digits are more than any maildrop holds and still an exact number. */
const NUMBER = /^[0-9]{1,10}$/;
const MECHANISM = /^[A-Za-z0-9_-]{1,20}$/;

/** The parameters of an argument. Spaces more than needed are forgiven (RFC 1939 3 has one). */
const parametersOf = (argument: Buffer | undefined): string[] =>
  (argument?.toString('latin1') ?? '').split(' ').filter((parameter) => parameter !== '');

function number(text: string | undefined): Parsed<number> {
  if (text === undefined) return wrong('argument-missing');
  return NUMBER.test(text) ? fine(Number(text)) : wrong('number-malformed');
}

export const noArgument: Grammar<undefined> = (argument) =>
  parametersOf(argument).length === 0 ? fine(undefined) : wrong('argument-unexpected');

export const messageNumber: Grammar<MessageNumber> = (argument) => {
  const [first, ...others] = parametersOf(argument);
  return others.length > 0 ? wrong('argument-unexpected') : number(first);
};

export const optionalMessageNumber: Grammar<MessageNumber | undefined> = (argument) =>
  parametersOf(argument).length === 0 ? fine(undefined) : messageNumber(argument);

export const messageAndLines: Grammar<MessageAndLines> = (argument) => {
  const [first, second, ...others] = parametersOf(argument);
  if (others.length > 0) return wrong('argument-unexpected');
  const message = number(first);
  if (!message.ok) return message;
  const lines = number(second);
  return lines.ok ? fine({ message: message.value, lines: lines.value }) : lines;
};

/** The name of USER: one word. */
export const mailboxName: Grammar<string> = (argument) => {
  const [name, ...others] = readText(argument ?? Buffer.alloc(0))
    .split(' ')
    .filter((word) => word !== '');
  if (name === undefined) return wrong('argument-missing');
  return others.length > 0 ? wrong('argument-unexpected') : fine(name);
};

/** The whole rest of the line: spaces belong to the password (RFC 1939 7, PASS). */
export const password: Grammar<string> = (argument) =>
  argument === undefined || argument.length === 0 ? wrong('argument-missing') : fine(readText(argument));

/** RFC 5034 4. */
export const saslStart: Grammar<SaslStart> = (argument) => {
  const [mechanism, initialResponse, ...others] = parametersOf(argument);
  if (others.length > 0) return wrong('argument-unexpected');
  if (mechanism !== undefined && !MECHANISM.test(mechanism)) return wrong('argument-malformed');
  return fine({ mechanism: mechanism?.toUpperCase(), initialResponse });
};
