import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { EmailKind, PhoneKind } from '../../../../core/leads/lead.ts';

const ROLES =
  /^(?:info(?:s|rmation(?:en)?|rmazioni)?|kontakt|contacto?|contatti|contato|contactus|hello|hi|hallo|hola|bonjour|ciao|mail|e?-?mail|post|poczta|posta|office|buero|büro|biuro|sekretariat|secretar(?:y|iat|ia|iado)|zentrale|empfang|reception|recepcion|rezeption|accueil|sales|vertrieb|verkauf|ventas|vendite|vendas|verkoop|commercial|comercial|handel|sprzedaz|prodej|obchod|export|shop|store|tienda|boutique|negozio|loja|order|orders|bestellung(?:en)?|bestellen|commande|pedidos|ordini|service|kundenservice|kundendienst|customer(?:service|care|support)?|support|soporte|help(?:desk)?|hilfe|technik|tech|it|admin|administration|administracja|amministrazione|administracion|verwaltung|webmaster|postmaster|hostmaster|root|noreply|no-reply|do-not-reply|newsletter|marketing|werbung|pr|press|presse|prensa|stampa|media|redaktion|redaction|redazione|editor|news|jobs?|career|careers|karriere|bewerbung|personal|hr|rh|recruiting|recruitment|empleo|lavoro|buchhaltung|accounting|accounts|finance|finanzen|billing|invoice|invoices|rechnung(?:en)?|facturacion|facturation|compta(?:bilite)?|legal|recht|privacy|datenschutz|dataprotection|dpo|dsb|rgpd|gdpr|einkauf|purchasing|logistik|logistics|team|praxis|kanzlei|studio|hotel|restaurant|reservierung|reservation|reservations|reservas|booking|bookings|buchung|prenotazioni|rezerwacje|termin|termine|appointments|rdv|events?|veranstaltungen|general|enquir(?:y|ies)|inquir(?:y|ies)|request|anfrage|ask|feedback|security|abuse|partner|partners|projects?|design|web|company|firma|direktion|direction|direccion|direzione|geschaeftsleitung|gf|management|werkstatt|garage|showroom|filiale|immobilien|versand|retoure|returns)\d{0,3}$/;

/** Whether mail goes to a function or to someone: by its local part, and the names known. */
export function emailKind(address: string, names: readonly string[], company: string | null): EmailKind {
  const local = folded(address.slice(0, address.indexOf('@')).replace(/\+.*$/, ''));
  const words = local.split(/[._-]+/).filter(Boolean);
  if (words.some((word) => ROLES.test(word)) || ROLES.test(words.join(''))) return 'role';
  const host =
    folded(address.slice(address.indexOf('@') + 1))
      .split('.')
      .at(-2) ?? '';
  if (isNameIn(words, names)) return 'person';
  if (words.join('') === host || (company && words.join('') === folded(company).replace(/\W/g, '')))
    return 'role';
  const letters = words.every((word) => /^[a-z]+\d{0,2}$/.test(word));
  if (letters && words.length === 2 && (words[1]?.length ?? 0) >= 3) return 'person';
  return 'unknown';
}

function isNameIn(words: readonly string[], names: readonly string[]): boolean {
  return names.some((name) => {
    const parts = folded(name)
      .split(/[^a-z]+/)
      .filter((part) => part.length >= 3);
    return parts.some((part) =>
      words.some((word) => word === part || (part.length >= 4 && word.endsWith(part))),
    );
  });
}

/** Lower case without accents, umlauts as two letters. */
export const folded = (text: string): string =>
  text
    .toLowerCase()
    .replace(/ä/g, 'ae')
    .replace(/ö/g, 'oe')
    .replace(/ü/g, 'ue')
    .replace(/ß/g, 'ss')
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/ø/g, 'o')
    .replace(/ł/g, 'l');

const PHONE_KINDS: Record<string, PhoneKind> = {
  FIXED_LINE: 'fixed',
  MOBILE: 'mobile',
  FIXED_LINE_OR_MOBILE: 'fixed_or_mobile',
  TOLL_FREE: 'toll_free',
  PREMIUM_RATE: 'premium',
  SHARED_COST: 'shared_cost',
  VOIP: 'voip',
};

/** The kind of line, by the numbering plan. */
export function phoneKind(number: string): PhoneKind {
  const type = parsePhoneNumberFromString(number)?.getType();
  return type ? (PHONE_KINDS[type] ?? 'other') : 'unknown';
}
