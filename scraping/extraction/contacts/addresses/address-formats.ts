import type { Address } from '../../../../core/leads/lead.ts';

/**
 * Addresses whose parts have words or an order of their own: Japan, Korea, China, Russia, Turkey,
 * Brazil. Each format names its parts whole; text that fits none gives nothing.
 */
export function formattedAddress(text: string, countries: readonly string[]): Address | null {
  for (const { country, hint, pattern, read, isLocal } of FORMATS) {
    if (!hint.test(text) || (isLocal && countries[0] !== country)) continue;
    const match = pattern.exec(text);
    if (!match?.groups) continue;
    const parts = read(match.groups, text);
    if (!parts) continue;
    const whole = match[0].replace(/^[\s,，、:：]+|[\s,，、]+$/g, '').replace(/\s+/g, ' ');
    return { text: whole, ...parts, country };
  }
  return null;
}

type Parts = Omit<Address, 'text' | 'country'>;
type Groups = Record<string, string | undefined>;
interface Format {
  country: string;
  /** Cheap test first: most lines hold no address. */
  hint: RegExp;
  pattern: RegExp;
  read(groups: Groups, text: string): Parts | null;
  /** Only on pages that are likely of this country. */
  isLocal?: true;
}

const clean = (text: string | undefined): string | null =>
  text?.replace(/\s+/g, ' ').replace(/^[\s,，、-]+|[\s,，、(（-]+$/g, '') || null;

const JP_PREFECTURE =
  '東京都|北海道|京都府|大阪府|(?:青森|岩手|宮城|秋田|山形|福島|茨城|栃木|群馬|埼玉|千葉|神奈川|新潟|富山|石川|福井|山梨|長野|岐阜|静岡|愛知|三重|滋賀|兵庫|奈良|和歌山|鳥取|島根|岡山|広島|山口|徳島|香川|愛媛|高知|福岡|佐賀|長崎|熊本|大分|宮崎|鹿児島|沖縄)県';
const JP_CODE = '\\d{3}\\s?-\\s?\\d{4}';
const JP_TOWN =
  '(?:四日市|廿日市|野々市)市|\\p{Script=Han}{1,6}?郡[^\\s\\d,]{1,6}?[町村]|[^\\s\\d,、。]{1,6}?市(?:[^\\s\\d,、。市]{1,4}?区)?|[^\\s\\d,、。]{1,4}?[区町村]';

const KR_METROPOLIS = '(?:서울|부산|대구|인천|광주|대전|울산)(?:특별시|광역시|시)?|세종(?:특별자치시|시)?';
const KR_PROVINCE =
  '경기도?|강원(?:특별자치도|도)?|충청[북남]도|충[북남]|전라[북남]도|전북특별자치도|전[북남]|경상[북남]도|경[북남]|제주(?:특별자치도|도)?';
const KR_STREET =
  '\\S{1,15}(?:대로|로|길)\\s?\\d{1,5}(?:-\\d{1,4})?(?:번?길\\s?\\d{1,4}(?:-\\d{1,4})?)?(?![\\p{L}\\d])|\\S{1,10}[동읍면리가]\\s\\d{1,4}(?:-\\d{1,4})?(?:번지)?(?![\\p{L}\\d])';

const RU_KIND =
  'ул(?:ица|\\.)|пр(?:-?к?т|оспект|осп\\.?|\\.)\\.?|пер(?:еулок|\\.)|наб(?:ережная|\\.)|ш(?:оссе|\\.)|б(?:ульвар|-р|ул\\.)|пл(?:ощадь|\\.)|проезд|тракт|линия|аллея|мкр\\.?';
const RU_STREET = `(?:(?:${RU_KIND})\\s?[А-ЯЁ\\d][^,;|]{1,40}|[А-ЯЁ\\d][^,;|]{1,40}\\s(?:${RU_KIND}))`;
const RU_HOUSE =
  '(?:д(?:ом|\\.)\\s?)?\\d{1,4}(?:[а-яА-Я](?![а-яё]))?(?:[/-]\\d{1,4}[а-яА-Я]?)?(?:,?\\s?(?:к(?:орп(?:ус|\\.)?|\\.)|стр(?:оение|\\.)|лит(?:ера|\\.))\\s?[\\dА-Яа-я]{1,3}(?![а-яё]))*(?:,\\s?(?:оф(?:ис|\\.)?|пом(?:ещение|\\.)?|кв\\.)\\s?№?\\s?[\\d\\p{L}/-]{1,6})?';

const TR_PROVINCES =
  'Adana|Adıyaman|Afyonkarahisar|Ağrı|Aksaray|Amasya|Ankara|Antalya|Ardahan|Artvin|Aydın|Balıkesir|Bartın|Batman|Bayburt|Bilecik|Bingöl|Bitlis|Bolu|Burdur|Bursa|Çanakkale|Çankırı|Çorum|Denizli|Diyarbakır|Düzce|Edirne|Elazığ|Erzincan|Erzurum|Eskişehir|Gaziantep|Giresun|Gümüşhane|Hakkari|Hatay|Iğdır|Isparta|İstanbul|İSTANBUL|Istanbul|İzmir|İZMİR|Izmir|Kahramanmaraş|Karabük|Karaman|Kars|Kastamonu|Kayseri|Kırıkkale|Kırklareli|Kırşehir|Kilis|Kocaeli|Konya|Kütahya|Malatya|Manisa|Mardin|Mersin|Muğla|Muş|Nevşehir|Niğde|Ordu|Osmaniye|Rize|Sakarya|Samsun|Siirt|Sinop|Sivas|Şanlıurfa|Şırnak|Tekirdağ|Tokat|Trabzon|Tunceli|Uşak|Van|Yalova|Yozgat|Zonguldak|ANKARA|BURSA|ANTALYA|KOCAELİ|KONYA|ADANA';
const TR_KIND =
  '(?:Mah(?:allesi|\\.)?|Mh\\.|Cad(?:desi|\\.)?|Cd\\.|Sok(?:ağı|ak|\\.)?|Sk\\.|Bulv(?:arı|\\.)|Blv\\.|Bulvarı|Yolu|Meydanı)';

const BR_STATE = 'AC|AL|AM|AP|BA|CE|DF|ES|GO|MA|MG|MS|MT|PA|PB|PE|PI|PR|RJ|RN|RO|RR|RS|SC|SE|SP|TO';
const BR_TOWN = "\\p{Lu}[\\p{L}’']{1,20}(?:\\s(?:d[aeo]s?|\\p{Lu}[\\p{L}’']{1,20})){0,4}";

const FORMATS: readonly Format[] = [
  {
    country: 'JP',
    hint: /[都道府県][\p{L}]/u,
    pattern: new RegExp(
      `(?:〒?\\s?(?<code>${JP_CODE})[\\s,、]{0,4})?(?<region>${JP_PREFECTURE})\\s?(?<city>${JP_TOWN})\\s?(?<street>[^\\s\\d,、。（(]{0,20}\\d{1,5}(?:\\s?(?:丁目|番地|番|号|条|線|-|の|ノ|[東西南北])\\s?\\d{0,5}){0,6}(?:丁目|番地|番|号)?)(?<rest>[\\s,](?![^\\s,]*(?:TEL|電話|FAX|Tel|Fax|〒))[^\\s,。|]{2,30}(?:ビル|ヒルズ|タワー|館|棟|マンション|会館|センター|\\dF|階|号室)[^,。|]{0,12})?(?:[\\s(（]{0,3}〒\\s?(?<code2>${JP_CODE}))?`,
      'u',
    ),
    read: ({ code, code2, region, city, street }) => ({
      street: clean(street),
      city: clean(city),
      region: region ?? null,
      postal_code: (code ?? code2)?.replace(/\s/g, '') ?? null,
    }),
  },
  {
    country: 'KR',
    hint: /[가-힣]\s?\d/u,
    pattern: new RegExp(
      `(?:[(（]?우?[)）:]?\\s?(?<code>\\d{5})[)）]?[\\s,]{1,3})?(?<![가-힣])(?:(?<metro>${KR_METROPOLIS})|(?<region>${KR_PROVINCE}))\\s(?:(?<city>[가-힣]{1,5}[시군])\\s)?(?<district>[가-힣]{1,5}[구군]\\s)?(?<street>(?:[가-힣\\d]{1,6}[읍면동]\\s)?(?:${KR_STREET}))(?:\\s?[(（][^)）]{1,30}[)）])?(?:[\\s,]{1,3}[(（]?우?[)）:]?\\s?(?<code2>\\d{5})(?!\\d|-))?`,
      'u',
    ),
    read: ({ code, code2, metro, region, city, district, street }) => {
      if (!metro && !city) return null;
      return {
        street: clean(`${district ?? ''}${street ?? ''}`),
        city: metro ?? city ?? null,
        region: region ?? null,
        postal_code: code ?? code2 ?? null,
      };
    },
  },
  {
    country: 'CN',
    hint: /[路街道巷弄号]/u,
    pattern:
      /(?<region>[\p{Script=Han}]{2,3}省|(?:内蒙古|广西壮族|西藏|宁夏回族|新疆维吾尔)自治区)?(?<city>(?:北京|上海|天津|重庆)市?|[\p{Script=Han}]{2,4}市)(?<street>(?:[\p{Script=Han}]{1,6}?(?:新区|区|县|旗|市|镇)){0,2}[\p{Script=Han}\d]{1,20}?(?:路|街|大道|道|巷|弄|胡同|园)[\p{Script=Han}]{0,8}?\d{1,5}(?:-\d{1,4})?[号弄](?:[\p{Script=Han}\dA-Z-]{0,20}(?:室|楼|层|座|栋|幢|单元))?)(?:[\s,，;；(（]{0,4}(?:邮编|邮政编码)?\s?[:：]?\s?(?<code>\d{6})(?!\d))?/u,
    read: ({ region, city, street, code }, text) =>
      // Japanese and Chinese share their letters; kana and wards of prefectures are Japanese.
      /[\p{Script=Hiragana}\p{Script=Katakana}]|丁目|番地/u.test(text)
        ? null
        : {
            street: clean(street),
            city: city ?? null,
            region: region ?? null,
            postal_code: code ?? null,
          },
  },
  {
    country: 'RU',
    hint: /[а-яё]/u,
    pattern: new RegExp(
      `(?:(?<code>\\d{6}),?\\s?)?(?:(?:Россия|РФ|Российская Федерация),?\\s?)?(?:(?<region>[А-ЯЁ][а-яё-]{2,25}\\s(?:обл(?:асть|\\.)|край)|(?:Республика|Респ\\.)\\s[А-ЯЁ][а-яё-]{2,20}),?\\s?)?(?:(?<town>г(?:ород|\\.)\\s?))?(?<city>[А-ЯЁ][а-яё]{1,20}(?:[ -](?:на-)?[А-ЯЁа-яё][а-яё]{1,20}){0,2}),\\s?(?:[^,;|]{3,25}р(?:айон|-н),\\s?)?(?<street>${RU_STREET},?\\s?${RU_HOUSE})(?![\\p{L}\\d])`,
      'u',
    ),
    read: ({ code, region, town, city, street }) =>
      code || town || region
        ? { street: clean(street), city: city ?? null, region: region ?? null, postal_code: code ?? null }
        : null,
  },
  {
    country: 'TR',
    isLocal: true,
    hint: /(?:Mah|Mh\.|Cad|Cd\.|Sok|Sk\.|Bulv|Blv|Yolu)/,
    pattern: new RegExp(
      `(?<street>(?:\\p{Lu}[\\p{L}\\d.’']{0,20}\\s){0,4}${TR_KIND}(?![\\p{L}])[^|;]{0,60}?\\sN[oO]\\s?[:.]{0,2}\\s?\\d{1,4}(?:\\s?[/-]\\s?[\\dA-Z]{1,4})?(?:[\\s,]{1,2}(?:Kat|K|Daire|D|Blok|İç Kapı No)\\s?[:.]\\s?[\\dA-Z]{1,4})*)[\\s,-]{1,4}(?:(?<code>\\d{5})\\s)?(?<city>\\p{Lu}[\\p{L}]{2,20})(?:\\s?[/,-]\\s?|\\s)(?<region>${TR_PROVINCES})(?![\\p{L}])(?:[\\s,-]{1,3}(?<code2>\\d{5}))?`,
      'u',
    ),
    read: ({ street, code, code2, city, region }) => ({
      street: clean(street),
      city: city ?? null,
      region: region ?? null,
      postal_code: code ?? code2 ?? null,
    }),
  },
  {
    country: 'BR',
    isLocal: true,
    hint: /(?:R\.|Rua|Av|Al|Trav|Praça|Rod|Estrada|Largo)/,
    pattern: new RegExp(
      `(?<street>(?:Rua|R\\.|Avenida|Av\\.?|Alameda|Al\\.|Travessa|Praça|Pça\\.?|Rodovia|Rod\\.|Estrada|Largo)\\s[^,;|\\d]{2,50},?\\s(?:n[ºo°.]{1,2}\\s?)?\\d{1,5}(?:\\s?[A-Z](?![\\p{L}]))?(?:[\\s,-]{1,3}(?:sala|sl\\.?|loja|lj\\.?|conj(?:unto|\\.)?|cj\\.?|bloco|apto\\.?|andar|\\d{1,2}[ºo°] andar)\\s?[\\dA-Z]{0,6})*)(?:[\\s,–-]{1,4}[^,;|–]{2,40}?){0,2}?[\\s,–-]{1,4}(?<city>${BR_TOWN})\\s?[-/–,]\\s?(?<region>${BR_STATE})(?![\\p{L}])(?:[\\s,.–-]{0,4}(?:CEP)?[\\s:.]{0,3}(?<code>\\d{5}-?\\d{3})(?!\\d))?`,
      'u',
    ),
    read: ({ street, city, region, code }) => ({
      street: clean(street),
      city: city ?? null,
      region: region ?? null,
      postal_code: code ?? null,
    }),
  },
];
