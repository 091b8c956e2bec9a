// Numbers that look like phones: dates, times, money, coordinates, and the numbers that offices and
// banks give out.

/** Shapes of the whole run of digits. */
const SHAPES: readonly RegExp[] = [
  // Years and dates.
  /^(?:19|20)\d\d\s?[-–/.]\s?(?:(?:19|20)?\d\d|\d{1,2})(?:[-–/.]\d{1,2})?$/,
  /^\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d/,
  /^(?:19|20)\d\d[-/.]\d\d[-/.]\d\d/,
  /^(?:19|20)\d\d(?:\s?[-–/]\s?(?:19|20)\d\d|\s(?:19|20)\d\d)+$/,
  /^\d{1,2}\.\s?\d{1,2}\.\s?(?:19|20)\d\d(?!\d)/,
  // `05.10-09.10.2015`, `5.–9.10.2015`, `05.10. - 09.10.15`, `05/10 - 09/10/2015`
  /^(?:0?[1-9]|[12]\d|3[01])(?:[./](?:0?[1-9]|1[0-2]))?[./]?\s?[-–—]\s?(?:0?[1-9]|[12]\d|3[01])[./]\s?(?:0?[1-9]|1[0-2])(?:[./]\s?(?:(?:19|20)\d\d|\d\d)?)?(?!\d)/,
  /^(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])\.\d\d(?:\s?[-–]|$)/,
  // Times: `08.00-12.00 13.00-17.30`, `0800 - 1730`, `10-18 10-14`
  /^(?:[01]?\d|2[0-4])[.h](?:00|15|30|45)\s?[-–—]\s?(?:[01]?\d|2[0-4])[.h](?:00|15|30|45|59)(?!\d)/,
  /^(?:[01]\d|2[0-4])(?:00|15|30|45)\s?[-–—]\s?(?:[01]\d|2[0-4])(?:00|15|30|45|59)(?!\d)/,
  /^(?:[01]?\d|2[0-4])\s?[-–]\s?(?:[01]?\d|2[0-4])(?:[\s/]+(?:[01]?\d|2[0-4])\s?[-–]\s?(?:[01]?\d|2[0-4]))+$/,
  // Money, coordinates, IP addresses, books, cards.
  /^\d{1,3}(?:\.\d{3}){2,}$/,
  /^\d{1,3}\.\d{4,}(?:\s|\/|$)/,
  /^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$/,
  /^97[89](?:[- ]?\d){10}$/,
  /^\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{4}/,
  /^\d{5}-\d{4}$/,
  // Pagination, sizes, part numbers.
  /^(?:\d{1,2} ){6,}\d{1,2}$/,
  /^\d\s\d\s\d\s\d/,
  /\b\d{1,4}\/\d{1,4}\/\d{1,4}\b/,
  // Register numbers of Brazil and Switzerland.
  /^\d{2}\.\d{3}\.\d{3}\/\d{4}-\d{2}$/,
  /^\d{3}\.\d{3}\.\d{3}-\d{2}$/,
];

export const isOtherShape = (run: string): boolean => SHAPES.some((shape) => shape.test(run));

/**
 * Words that name a number of another kind, right before it; whatever labels the number elsewhere.
 */
const OFFICIAL =
  'isbn|issn|doi|vat|vat[ -]?id|ust-?\\s?id(?:ent(?:ifikations)?)?-?|ustid|umsatzsteuer[\\p{L}-]*|steuer-?(?:nummer|nr)|st\\.-?nr|finanzamt[\\p{L} -]{0,20}|siret|siren|rcs(?: [\\p{L}-]+)?(?: [a-d])?|tva(?: intra[\\p{L}]*)?|intracommunautaire|naf|ape|ein|tax(?: id)?|abn|acn|iban|bic|swift|account(?: no)?|sort code|routing|konto(?:nummer)?|blz|bankleitzahl|kreditoren[\\p{L}-]*|gläubiger[\\p{L}-]*|order|invoice|item|model|part|sku|serial|version|lic(?:ense|ence)?|ccb|reg(?:istration|istered)?|company|charity|hrb|hra|gnr|vr|fn|firmenbuch(?:nummer)?|handelsregister[\\p{L}-]*|registernummer|amtsgericht(?: [\\p{L}-]+){1,3}|uid|che|p\\.?\\s?iva|partita iva|c\\.?\\s?f\\.?|codice fiscale|cod\\.? fisc\\.?|rea(?: [a-z]{2})?|cciaa|cif|nif|nie|nipc|kvk(?:-nummer)?|k\\.?v\\.?k|btw(?:-nummer)?|rsin|kbo|bce|nip|regon|krs|i[čc]o?|di[čc]|cnpj|cpf|inscri[çc][ãa]o[\\p{L} ]*|cvr(?:-nr)?|se-nr|org(?:anisations?)?\\.?-?\\s?(?:nr|nummer)|momsnr|y-tunnus|ly-tunnus|cégjegyzékszám|adószám|oib|mbs|cui|vergi(?: dairesi)?(?: no)?|vergi no|mersis(?: no)?|ticaret sicil(?: no)?|инн|кпп|огрн(?:ип)?|окпо|бик|р\\/с|к\\/с|αφμ|α\\.φ\\.μ|법인등록번호|사업자\\s?등록\\s?번호|사업자번호|통신판매업?(?: ?신고)?(?:번호)?|法人番号|登録番号|許可番号|免許番号|统一社会信用代码|icp[备證证]?|d-?u-?n-?s|eori|lei|gln|ean|gtin|upc|asin|art(?:ikel)?\\.?-?\\s?(?:nr|nummer)|bestell-?(?:nr|nummer)|case|patent|fsa|nmls|dre|bre|zip|plz|lat(?:itude)?|lng|lon(?:gitude)?|gps|capital(?: social)?(?: de)?|stammkapital|kapital|ik-nummer|betriebsnummer|weee[\\p{L}.-]*';
const NUMBER_WORD = '(?:no|nr|num(?:ber|mer)?|n[°º]|№|id|code|号|番号|번호)';
const OFFICIAL_BEFORE = new RegExp(
  `(?<![\\p{L}])(?:${OFFICIAL})[\\s.:：#)/-]{0,3}(?:${NUMBER_WORD}[\\s.:：#]{0,3})?(?:\\(?[A-Z]{2,3}\\)?[\\s-]?)?$`,
  'iu',
);
/** Words before an unlabelled number that is no phone number. */
const ANY_NUMBER_BEFORE =
  /(?:(?<![\p{L}])(?:no|nr|number|№|id|ref|in)[\s.:#)]{0,3}(?:no|nr|number|in|id)?[\s.:#]{0,3}|[#$€£])$/iu;

/** Whether the text before a number says that it is no phone number. */
export const isOtherNumber = (before: string, isLabelled: boolean): boolean =>
  OFFICIAL_BEFORE.test(before) || (!isLabelled && ANY_NUMBER_BEFORE.test(before));

/** Whether a line is only the name of another number, which is in the next line or cell. */
export const namesOtherNumber = (line: string): boolean => line.length <= 100 && OFFICIAL_BEFORE.test(line);

/** Units and currencies after an unlabelled number. */
export const UNIT_AFTER =
  /^\s?(?:%|px\b|[mck]m\b|kg\b|m²|usd\b|eur(?:os?)?\b|\$|€|£|¥|円|元|원|₽|руб|zł|pln\b|kč|czk\b|chf\b|sek\b|nok\b|dkk\b|kr\b|tl\b|₺|ft\b|lei\b|uhr\b|x\s?\d|°)/iu;
