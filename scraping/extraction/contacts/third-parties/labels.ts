// Words by which a page introduces another party: its web host, its web designer, a data-protection
// officer, an authority. In the languages of the addresses that are read.

const HOST = [
  'hosting ?(?:provider|partner|company|services?|anbieter|dienstleister)?',
  'web ?host(?:er|ing)?',
  'hoster',
  'host provider',
  'server ?hosting',
  'internet service provider',
  'h[ée]bergeurs?(?: (?:du site|web|internet))?',
  'h[ée]bergement(?: du site)?(?: (?:web|internet))?',
  'alojamiento(?: web)?',
  'proveedor de (?:alojamiento|hosting)',
  'fornitore (?:di|del servizio di) hosting',
  'hostingprovider',
  'hospedagem(?: de sites?)?',
  'alojamento(?: web)?',
  't[áa]rhely ?szolg[áa]ltat[óo]',
  'webov[ýy] hosting',
  'хостинг(?:-провайдер)?',
  'g[ăa]zduire(?: web)?',
  'サーバー(?:会社)?',
  '服务器托管',
];
const BUILDER = [
  'web ?-?d[ei]s[ei][gñ]n(?:er)?(?: (?:by|and|&|und|et|en|e|y|i|og) [\\p{L}-]+)?',
  'web ?(?:development|agency|agentur|bureau|byr[åa]|tasar[ıi]m[ıi]?|solutions? by)',
  'internetagentur',
  'werbeagentur',
  'webmaster',
  '(?:website|site|webseite|homepage|internetauftritt|internetseite)(?: (?:design(?: by)?|by|created by|built by|von|door|erstellt (?:von|durch)))',
  '(?:technische |gestalterische )?(?:umsetzung|realisierung|gestaltung|programmierung|erstellung|betreuung)(?: (?:und|&|\\/) [\\p{L}-]+)?(?: der (?:website|webseite|homepage|internetseiten?))?',
  '(?:konzept(?:ion)?|design|layout)(?:,| und| &) [\\p{L}, &]{3,40}',
  '(?:conception|r[ée]alisation|cr[ée]ation|d[ée]veloppement|int[ée]gration)(?: (?:et|&) [\\p{L}]+)?(?: (?:du|de) (?:site|sites|web))?(?: (?:web|internet|technique))?',
  'agence web',
  'realizzazione(?: (?:sito|siti|tecnica|grafica))?(?: (?:web|internet))?',
  '(?:progettazione|creazione|sviluppo)(?: e [\\p{L}]+)?(?: (?:sito|siti|web))(?: (?:web|internet))?',
  '(?:dise[ñn]o|desarrollo|programaci[óo]n)(?: (?:y|e) [\\p{L}]+)?(?: (?:web|del sitio(?: web)?|de la p[áa]gina(?: web)?))',
  '(?:desenvolvimento|cria[çc][ãa]o)(?: (?:de|do|web) ?(?:sites?|web)?)?',
  '(?:ontwerp|realisatie|vormgeving)(?: (?:en|&) [\\p{L}]+)?(?: website)?',
  '(?:projekt|wykonanie|realizacja)(?: i (?:wykonanie|realizacja))?(?: (?:strony|stron)(?: (?:internetowej|www))?)?',
  'strony internetowe',
  '(?:tvorba|realizace|v[ýy]roba|tvorba a spr[áa]va)(?: (?:webu|webov[ýy]ch str[áa]nek|www(?: str[áa]nek)?|str[áa]nek|webstr[áa]nok))',
  '(?:suunnittelu ja )?toteutus',
  'kotisivut',
  '(?:создание|разработка|дизайн|продвижение)(?: и [\\p{L}]+)? сайт(?:а|ов)',
  '(?:ホームページ|サイト|ウェブ|web)(?:制作|作成|製作)',
  '(?:홈페이지|웹사이트)\\s?제작',
  '(?:技术支持|网站建设|网站制作|网站设计)',
  '(?:weboldal|honlap)(?: ?k[ée]sz[íi]t[ée]s)?e?',
  'izrada (?:web )?stranica',
  'κατασκευ[ήη] ιστοσελ[ίι]δ(?:ας|ων)',
];
const PICTURES = [
  '(?:bildnachweise?|bildquellen?|fotonachweis|bildrechte|fotos?(?:grafie)?|photos?|pictures|images?)(?: (?:by|von|credits?|cr[ée]dits?))?',
  'photo(?:graph(?:y|e|s|er)?)?(?: credits?| by)?',
  'cr[ée]dits? (?:photos?|photographiques?)',
  'fotografie',
  'zdj[ęe]cia',
];
const JUDGE = [
  'verbraucherschlichtung(?:sstelle)?',
  '(?:zust[äa]ndige )?(?:verbraucher)?schlichtungsstelle',
  'schlichtung',
  '(?:au[ßs]ergerichtliche |online-?)?streit(?:beilegung|schlichtung)(?:splattform)?',
  'm[ée]diateur(?: de la consommation)?',
  'm[ée]diation(?: de la consommation)?',
  'arbitration (?:board|body)',
  'ombudsman(?:n)?',
  'defensor del pueblo',
  'junta arbitral(?: de consumo)?',
  'organismo (?:di|adr)[\\p{L} ]{0,40}',
  'geschillencommissie',
];
const AUTHORITY = [
  '(?:zust[äa]ndige )?(?:datenschutz)?-?aufsichtsbeh[öo]rde(?:n)?(?: f[üu]r [\\p{L}-]+)?',
  '(?:zust[äa]ndige )?(?:[\\p{L}]{3,20})?kammer',
  '(?:zust[äa]ndige )?berufskammer',
  '(?:competent |data protection )?supervisory authority',
  'data protection authority',
  'regulatory (?:body|authority)',
  'autorit[ée] de (?:contr[ôo]le|surveillance)',
  'autorit[àa] di controllo',
  'autoridad de control',
  'autoridade de controlo',
  'toezichthoud(?:er|ende autoriteit)',
  'organ nadzorczy',
  'dozorov[ýy] [úu][řr]ad',
  'tilsynsmyndighed',
  'tillsynsmyndighet',
  'berufshaftpflicht(?:versicherung)?',
  'haftpflichtversicherung',
  'professional indemnity insur(?:ance|er)',
  'assurance (?:responsabilit[ée] civile )?professionnelle',
];
const OFFICER = [
  '(?:externe[rn]? |betriebliche[rn]? )?datenschutzbeauftragte[rn]?',
  '(?:external )?data protection officer',
  'dpo',
  'd[ée]l[ée]gu[ée]e? [àa] la protection des donn[ée]es',
  'responsabile della protezione dei dati',
  'delegado de protecci[óo]n de datos',
  'encarregado d[ae] prote[çc][ãa]o de dados',
  'functionaris (?:voor )?gegevensbescherming',
  'inspektor(?:em)? ochrony danych',
  'pov[ěe][řr]enec pro ochranu osobn[íi]ch [úu]daj[ůu]',
  'dataskyddsombud',
  'databeskyttelsesr[åa]dgiver',
  'tietosuojavastaava',
];
const PAYMENT = [
  '(?:payment|shop(?:ping)? ?(?:system|platform))s? ?(?:service )?(?:provider|by)?',
  'zahlungs(?:dienstleister|anbieter|abwicklung)',
  'shop(?:system|software)',
  'prestataire de paiement',
  'betaalprovider',
  'proveedor de pagos?',
];

const any = (...lists: string[][]): string => lists.flat().join('|');

/**
 * `Hosting provider: …`, `Hébergeur - …`: a label at the start of a line, with the party after it
 * or below.
 */
export const LABEL = new RegExp(
  `^\\W{0,3}(?:\\d{1,2}[.)]\\s?)?(?:(?:our|unser|unsere|notre|nos|il nostro|nuestr[oa]|name (?:and address )?of the|name und (?:kontaktdaten|anschrift) (?:des|der)|kontaktdaten (?:des|der))\\s)?(?:${any(HOST, BUILDER, PICTURES, JUDGE, AUTHORITY, OFFICER, PAYMENT)})\\s?(?::|：|[-–—|]\\s)\\s?`,
  'iu',
);
/**
 * A heading that is only the label. Builders and hosts sell what their label says, so theirs count
 * in an imprint alone.
 */
export const TRADE_HEADING = new RegExp(
  `^\\W{0,3}(?:\\d{1,2}[.)]\\s?)?(?:${any(HOST, BUILDER, PICTURES)})\\W{0,3}$`,
  'iu',
);
export const OFFICE_HEADING = new RegExp(
  `^\\W{0,3}(?:[\\dIVX]{1,4}[.)]\\s?)?(?:(?:unser|unsere|our|notre|contact details of (?:the|our)|name (?:and address )?of the|name und (?:kontaktdaten|anschrift) (?:des|der)|kontaktdaten (?:des|der))\\s)?(?:${any(JUDGE, AUTHORITY, OFFICER)})\\W{0,3}$`,
  'iu',
);

const BY = '(?:by|von|durch|bei|par|chez|por|em|da|presso|door|bij|przez|af|av|hos)';
/** Credits anywhere in a line; everything after them is the other party's. */
export const CREDIT = new RegExp(
  `(?<![\\p{L}\\d])(?:${[
    '(?:powered|hosted|propuls[ée]|h[ée]berg[ée]e?|hospedado|alojad[oa]|ospitato|gehosted|gehostet|hostowan[ea]|hostov[áa]no|hostet)\\s' +
      BY,
    `(?:web ?-?design|web ?development|webdizajn|webbdesign|web ?agency|webagentur)\\s${BY}`,
    '(?:web ?site|site|webseite|homepage|page)\\s(?:design )?by',
    `(?:web ?site|site(?: (?:web|internet))?|webseite|internetseite|homepage|pages?|sito(?: web)?|sitio(?: web)?|p[áa]gina(?: web)?|strona|hjemmeside|hemsida)\\s(?:(?:is|was|wurde|wird|est|[èe]|fue|foi|[ée])\\s)?(?:[\\p{L}]+\\s(?:and|&|und|et|y|e|en)\\s)?(?:designed|developed|built|created|made|maintained|managed|erstellt|umgesetzt|realisiert|gestaltet|r[ée]alis[ée]e?|cr[ée][ée]e?|con[çc]ue?|d[ée]velopp[ée]e?|realizad[oa]|dise[ñn]ad[oa]|desarrollad[oa]|cread[oa]|realizzato|sviluppato|creato|gemaakt|gebouwd|ontwikkeld|lavet|udviklet|producerad|utviklet|stworzona)\\s${BY}`,
    "(?:r[ée]alis[ée]e?|d[ée]velopp[ée]e?|con[çc]ue?) (?:et [\\p{L}]+ )?par(?= (?:l[’']agence|[\\p{Lu}]))",
    '(?:realizzato|sviluppato) (?:e [\\p{L}]+ )?da',
    '(?:dise[ñn]ad[oa]|desarrollad[oa]) (?:y [\\p{L}]+ )?por',
    '(?:desenvolvid[oa]|criado) (?:e [\\p{L}]+ )?por',
    '(?:ontwikkeld|gebouwd|ontworpen) (?:en [\\p{L}]+ )?door',
    '(?:webdesign|web design|web tasar[ıi]m|webbyr[åa]|webagentur|umsetzung|realisierung|hosting)\\s?[:：|]',
    '(?:hosted|gehostet|h[ée]berg[ée]) (?:in|auf)',
    '(?:разработано|разработка сайта|создание сайта)',
    '(?:ホームページ|サイト|web)\\s?(?:制作|作成)\\s?[:：]?',
    '(?:홈페이지|웹사이트)\\s?제작\\s?[:：]?',
    '(?:技术支持|网站建设|网站制作)\\s?[:：]?',
  ].join('|')})(?![\\p{Ll}])`,
  'iu',
);
/** Only in a footer: elsewhere it is what the business designs. */
export const FOOTER_CREDIT =
  /(?<![\p{L}\d])(?:(?:web ?site|site(?: internet| web)?|webseite|homepage|pagina web) (?:door|von|par|por|da|av|af)|(?:designed|developed|built|created|crafted|made|maintained) (?:(?:and|&) [\p{L}]+ )?(?:with .{1,12} )?by|design (?:by|von|par)|erstellt von|realisiert (?:von|durch)|gestaltet von|cr[ée][ée] par|creato da|creado por|realizado por|gemaakt door|wykonanie|realizacja|vytvo[řr]il[ao]?|k[ée]sz[íi]tette|laget av|skapad av|tasar[ıi]m|yaz[ıi]l[ıi]m|制作)(?![\p{Ll}])/iu;

/** The same in a sentence: the whole line is about the other party. */
export const SENTENCE =
  /\b(?:(?:site|website|pages?|server|seiten?|internetauftritt)\b.{0,60}\b(?:is|are|est|sont|wird|werden|è)?\s?(?:hosted (?:by|at|on)|h[ée]berg[ée]e?s? (?:par|chez)|gehostet|ospitato (?:da|presso)|alojad[oa] (?:en|por)|hospedad[oa] (?:em|por))|^hosted by|(?:website|site) (?:designed|developed|built|created) (?:and (?:\w+ )?)?by)\b/iu;

/** An authority, a dispute body or a service by its name. */
export const NAMED_PARTY = new RegExp(
  `(?<![\\p{L}])(?:${[
    '(?:der |die |das )?(?:landes|bundes)?-?(?:beauftragte[rn]?|zentrum|amt) f[üu]r (?:den )?datenschutz',
    'landesbeauftragte[rn]? f[üu]r',
    'bundesbeauftragte[rn]? f[üu]r',
    'bayerisches landesamt f[üu]r datenschutz',
    'unabh[äa]ngiges landeszentrum',
    '(?:allgemeine |universal)?schlichtungsstelle (?:des bundes|f[üu]r|der)',
    'zentrum f[üu]r schlichtung',
    'information commissioner',
    "commission nationale (?:de l[’']informatique|pour la protection)",
    'garante per la protezione',
    'autoriteit persoonsgegevens',
    'agencia espa[ñn]ola de protecci[óo]n',
    'datenschutzbeh[öo]rde',
    'gegevensbeschermingsautoriteit|autorit[ée] de protection des donn[ée]es',
    'datatilsynet|integritetsskyddsmyndigheten',
    'prezes(?:a)? urz[ęe]du ochrony danych|urz[ąa]d ochrony danych osobowych',
    '[úu][řr]ad pro ochranu osobn[íi]ch [úu]daj[ůu]',
    'data protection commission(?:er)?',
    '(?:google|facebook|meta platforms|youtube|twitter|linkedin|microsoft|amazon|hotjar|hubspot|mailchimp|paypal|klarna|stripe|adyen|mollie|sumup|shopify|wix\\.?com|squarespace|jimdo|automattic|cloudflare|vimeo|pinterest|matomo|usercentrics|cookiebot|newsletter2go|sendinblue|brevo|cleverreach)\\s(?:\\(?[\\p{L}]+\\)?\\s){0,3}(?:llc|ltd|limited|inc|gmbh|ag|bank|s\\.?\\s?[àa]\\.?\\s?r\\.?\\s?l|corp(?:oration)?|payments|international|europe|b\\.?v\\.?|a/s)',
    '(?:ionos se|strato (?:ag|gmbh)|hetzner online|all-inkl|1&1|1 ?und ?1|ovh(?:cloud)?(?: sas)?|o2switch|infomaniak|host ?europe|domainfactory|mittwald|webgo|raidboxes|gandi sas|hostinger|siteground|godaddy|aruba s\\.?p\\.?a|register\\.it|one\\.com|loopia|transip|strato)(?![\\p{L}])',
  ].join('|')})`,
  'iu',
);

/** Labels where an imprint returns to its own company. */
export const OWNER_AGAIN =
  /^\W{0,3}(?:[ée]diteur|[ée]dit[ée] par|publisher|published by|herausgeber|diensteanbieter|betreiber|inhaber|verantwortlich|angaben gem|kontakt|contact|anschrift|address|adresse|propri[ée]taire|owner|titular|responsable|directeur|si[èe]ge|sede|gesch[äa]ftsf[üu]hr|vertret|registergericht|handelsregister|umsatzsteuer|ust|company|unternehmen|soci[ée]t[ée]|haftung|liability|copyright|©|privacy (?:policy|notice)|datenschutz(?!beauftragt|beh)|contatti|contacto|contato|indirizzo|direcci[óo]n|vestigingsadres|adres\b|siedziba|s[íi]dlo|адрес|контакты|住所|所在地|주소|地址)/iu;

export const IMPRINT =
  /^\s*(impressum|imprint|legal (notice|information|notes?)|site notice|mentions? l[ée]gales?|aviso legal|informaci[oó]n legal|informa[çc][õo]es legais|notes? l[ée]gales?|note legali|informazioni legali|colofon|colophon|disclaimer|terms (of use|and conditions)|tiráž|datenschutz(?:erkl[äa]rung|hinweise)?|privacy policy|politique de confidentialit[ée]|informativa privacy|privacyverklaring|pol[íi]tica de privacidad)/iu;
