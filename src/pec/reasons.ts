/**
 * Why a message is refused, set apart or not delivered: every Italian sentence of the checking side. They complete
 * the sentences of the notices (`... a causa di [descrizione errore].`), hence lower case and no full stop.
 */

/** Reasons of a non-accettazione (RFC 6109 3.1.2). The wording in pec-format 5 is kept where there is one. */
export const formalReasons = {
  malformedHeader: (line: string) =>
    `l'intestazione del messaggio contiene una riga che non è un campo valido: "${line}"`,
  repeatedField: (name: string) => `il campo ${name} è presente più di una volta`,
  longHeader: (limit: number) => `l'intestazione del messaggio è più lunga di ${limit} byte`,
  longLine: (limit: number) => `il messaggio contiene una riga più lunga di ${limit} caratteri`,
  fromAbsent: 'il campo From è assente o non contiene alcun indirizzo',
  fromRepeated: 'il campo From è presente più di una volta',
  fromInvalid: 'il campo From non contiene un indirizzo email valido',
  fromSeveral: 'il campo From contiene più di un indirizzo',
  fromDiffers: (from: string, mailFrom: string) =>
    `l'indirizzo ${from} nel campo From non coincide con il mittente ${mailFrom}`,
  toAbsent: 'il campo To è assente',
  toEmpty: 'il campo To non contiene alcun indirizzo email',
  invalidRecipients: (name: string) => `il campo ${name} contiene indirizzi email non validi`,
  notAddressed: (address: string) => `l'indirizzo email ${address} non appare nei campi To o Cc`,
  bcc: 'il campo Bcc contiene un valore: i destinatari in copia nascosta non sono ammessi',
  tooManyRecipients: (count: number, limit: number) =>
    `ecceduto il numero massimo di destinatari (${count} su ${limit})`,
  tooLarge: (size: number, limit: number) =>
    `ecceduta la dimensione massima del messaggio (${size} byte su ${limit})`,
  tooLargeTogether: (product: number, limit: number) =>
    `ecceduta la dimensione massima del messaggio moltiplicata per il numero dei destinatari (${product} byte su ${limit})`,
} as const;

/** Why a signed message does not have the form of RFC 6109 4.3 and 4.4, or contradicts itself (decisions 5). */
export const formReasons = {
  unreadable: 'la struttura MIME del messaggio non è leggibile',
  notMixed: 'il contenuto firmato non è di tipo multipart/mixed',
  noText: 'la prima parte del contenuto firmato non è il testo leggibile',
  daticertAbsent: 'manca il file daticert.xml',
  daticertRepeated: 'il file daticert.xml è presente più di una volta',
  daticertUnexpected: 'una busta di anomalia non contiene dati di certificazione',
  daticertType: 'il file daticert.xml non è di tipo application/xml',
  daticertTooLarge: 'il file daticert.xml eccede la dimensione massima',
  daticertInvalid: (why: string) => `il file daticert.xml non è valido: ${why}`,
  postacertAbsent: 'manca il file postacert.eml',
  postacertRepeated: 'il file postacert.eml è presente più di una volta',
  postacertType: 'il file postacert.eml non è di tipo message/rfc822',
  postacertEncoded: 'il file postacert.eml è codificato',
  postacertUnreadable: "l'intestazione del file postacert.eml non è leggibile",
  postacertForbidden: (tipo: string) => `il messaggio originale non è ammesso in un avviso di tipo ${tipo}`,
  postacertIdentifier: "il Message-ID del file postacert.eml non coincide con l'identificativo",
  kindDiffers: (header: string, declared: string, tipo: string) =>
    `il campo ${header} vale "${declared}" ma i dati di certificazione sono di tipo ${tipo}`,
  errorUnexpected: (tipo: string, errore: string) =>
    `i dati di certificazione di tipo ${tipo} dichiarano l'errore ${errore}`,
  identifierDiffers: "il Message-ID della busta non coincide con l'identificativo",
  senderDiffers: (mittente: string, mailFrom: string) =>
    `il mittente certificato ${mittente} non coincide con il mittente della trasmissione ${mailFrom}`,
  fieldAbsent: (element: string, tipo: string) => `manca l'elemento ${element} nei dati di tipo ${tipo}`,
  fromInvalid: 'il campo From non contiene un solo indirizzo email',
  fromNotOnBehalf: (mittente: string) => `il campo From non ha la forma "Per conto di: ${mittente}"`,
  markersContradict: 'i campi X-Trasporto e X-Ricevuta sono in contraddizione',
  markerUnknown: (header: string, value: string) => `il campo ${header} ha il valore sconosciuto "${value}"`,
  markersAbsent: 'il messaggio firmato non ha un campo X-Trasporto o X-Ricevuta',
} as const;

/** What the anomaly envelope says when the form holds but something else does not (RFC 6109 3.2.2). */
export const anomalyReasons = {
  notAddressed: (address: string) =>
    `l'indirizzo email ${address} non è tra i destinatari indicati nei dati di certificazione`,
  otherBytes: (identificativo: string) =>
    `un messaggio diverso con lo stesso identificativo ${identificativo} è già stato ricevuto`,
} as const;

/** Why a notification leaves the tracking alone (decisions 4). */
export const trackingReasons = {
  unknownMessage: (identificativo: string) =>
    `il messaggio ${identificativo} non risulta inviato da questo gestore`,
  unknownRecipient: (address: string) => `l'indirizzo email ${address} non è tra i destinatari del messaggio`,
  notOurs: (tipo: string) => `un messaggio di tipo ${tipo} può essere emesso solo dal gestore del mittente`,
  notTheManager: (gestore: string, address: string) =>
    `il gestore ${gestore} non gestisce l'indirizzo ${address}`,
  alreadyClosed: (address: string) => `per l'indirizzo ${address} è già noto un esito diverso`,
  notANotification: (tipo: string) => `i dati di tipo ${tipo} non sono una notifica`,
  externalRecipient: (address: string) =>
    `l'indirizzo ${address} era esterno alla posta certificata al momento dell'accettazione`,
} as const;

/** Descriptions in `errore-esteso` (Nota 12; pec-format 2 and 9). */
export const failureDescriptions = {
  invalidAddress: 'indirizzo non valido',
  invalidDomain: 'dominio non valido',
  disabledMailbox: 'casella disattivata',
  fullMailbox: 'casella piena',
  tooLarge: 'dimensione del messaggio non ammessa dal sistema del destinatario',
  noMail: 'il dominio del destinatario non accetta posta',
  unreachable: 'sistema del destinatario non raggiungibile',
  policy: 'messaggio rifiutato dalle regole del sistema del destinatario',
  refused: 'messaggio rifiutato dal sistema del destinatario',
} as const;
