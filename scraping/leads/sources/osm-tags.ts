/**
 * OpenStreetMap tags of industries, by their names in several languages. Each tag is `key=value`,
 * or `key` for any value. See https://wiki.openstreetmap.org/wiki/Map_features.
 */
const KINDS: readonly (readonly [tags: string, words: string])[] = [
  [
    'amenity=dentist healthcare=dentist',
    'dentist,dental,orthodontist,zahnarzt,zahnarzte,zahnaerzte,kieferorthopade,dentiste,dentista,tandarts,stomatolog,tandlage',
  ],
  [
    'amenity=doctors healthcare=doctor',
    'doctor,physician,medical practice,gp,arzt,arzte,hausarzt,medecin,medico,medici,huisarts,lekarz',
  ],
  ['amenity=clinic healthcare=clinic', 'clinic,medical center,klinik,clinique,clinica'],
  ['amenity=hospital', 'hospital,krankenhaus,hopital,ospedale,ziekenhuis'],
  ['amenity=pharmacy', 'pharmacy,drugstore,chemist,apotheke,pharmacie,farmacia,apotheek,apteka'],
  ['amenity=veterinary', 'veterinarian,veterinary,vet,tierarzt,veterinaire,veterinario,dierenarts'],
  [
    'healthcare=physiotherapist',
    'physiotherapist,physiotherapy,physical therapy,physiotherapie,kinesitherapeute,fisioterapia,fysiotherapeut',
  ],
  [
    'healthcare=psychotherapist',
    'psychotherapist,psychologist,therapist,psychotherapie,psychologue,psicologo',
  ],
  ['shop=optician', 'optician,eyewear,optiker,opticien,optica,ottico'],
  ['shop=hearing_aids', 'hearing aids,audiologist,horgerate,audioprothesiste'],
  [
    'amenity=nursing_home social_facility=nursing_home',
    'nursing home,care home,pflegeheim,altenheim,maison de retraite',
  ],
  [
    'office=lawyer',
    'lawyer,law firm,attorney,solicitor,legal services,rechtsanwalt,anwalt,kanzlei,avocat,abogado,avvocato,advocaat,adwokat',
  ],
  ['office=notary', 'notary,notar,notaire,notario,notaio,notaris'],
  [
    'office=accountant office=tax_advisor',
    'accountant,accounting,bookkeeper,cpa,steuerberater,buchhaltung,comptable,expert comptable,contable,asesoria,commercialista,accountantskantoor',
  ],
  ['office=insurance', 'insurance,insurance agency,versicherung,assurance,seguros,assicurazioni,verzekering'],
  [
    'office=estate_agent',
    'real estate,real estate agency,realtor,estate agent,immobilien,immobilienmakler,makler,agence immobiliere,inmobiliaria,agenzia immobiliare,makelaar',
  ],
  [
    'office=architect',
    'architect,architecture,architekt,architekturburo,architecte,arquitecto,architetto,architect',
  ],
  ['office=engineer', 'engineer,engineering,ingenieurburo,ingenieur,bureau d etudes,ingenieria,ingegneria'],
  [
    'office=it',
    'software,software company,software development,it,it services,it company,web development,web agency,saas,tech,informatik,informatique,informatica,systemhaus',
  ],
  [
    'office=advertising_agency',
    'advertising,advertising agency,marketing,marketing agency,werbeagentur,agence de publicite,agencia de publicidad,reclamebureau',
  ],
  [
    'office=consulting',
    'consulting,consultant,consultancy,management consulting,unternehmensberatung,beratung,conseil,consultoria,consulenza',
  ],
  [
    'office=employment_agency',
    'recruiting,recruitment,staffing,employment agency,personalvermittlung,zeitarbeit,agence d interim,uitzendbureau',
  ],
  [
    'office=financial office=financial_advisor',
    'financial advisor,financial services,finanzberater,conseiller financier',
  ],
  ['amenity=bank', 'bank,banking,banque,banco,banca,sparkasse'],
  [
    'office=travel_agent shop=travel_agency',
    'travel agency,travel agent,reiseburo,agence de voyage,agencia de viajes,agenzia di viaggi,reisbureau',
  ],
  ['office=logistics', 'logistics,logistik,logistique,logistica,spedition,freight forwarder'],
  [
    'office=moving_company shop=moving',
    'moving company,movers,umzug,umzugsunternehmen,demenagement,mudanzas,traslochi',
  ],
  ['office=security', 'security company,sicherheitsdienst'],
  ['office=coworking amenity=coworking_space', 'coworking,coworking space'],
  ['amenity=restaurant', 'restaurant,restaurants,gastronomie,gaststatte,ristorante,restaurante,restauracja'],
  ['amenity=cafe', 'cafe,coffee shop,coffee,kaffee,caffe,cafeteria'],
  ['amenity=bar amenity=pub', 'bar,pub,kneipe,biergarten'],
  ['amenity=fast_food', 'fast food,takeaway,imbiss'],
  ['craft=caterer', 'caterer,catering,traiteur'],
  ['tourism=hotel tourism=guest_house', 'hotel,hotels,guest house,pension,bed and breakfast,hostal,albergo'],
  [
    'shop=bakery craft=bakery',
    'bakery,bakeries,backerei,baeckerei,backer,boulangerie,panaderia,panificio,bakkerij,piekarnia',
  ],
  ['shop=butcher', 'butcher,metzgerei,fleischerei,boucherie,carniceria,macelleria,slagerij'],
  ['shop=supermarket', 'supermarket,grocery,supermarkt,supermarche,supermercado,supermercato'],
  ['shop=florist', 'florist,flowers,blumen,blumenladen,fleuriste,floristeria,fiorista,bloemist'],
  [
    'shop=hairdresser',
    'hairdresser,hair salon,barber,friseur,frisor,coiffeur,peluqueria,parrucchiere,kapper,fryzjer',
  ],
  [
    'shop=beauty',
    'beauty salon,cosmetics,nail salon,kosmetik,kosmetikstudio,institut de beaute,estetica,schoonheidssalon',
  ],
  [
    'leisure=fitness_centre',
    'gym,fitness,fitness studio,fitnessstudio,salle de sport,gimnasio,palestra,sportschool',
  ],
  ['leisure=sports_centre', 'sports centre,sports center,sportzentrum'],
  ['shop=massage', 'massage,spa'],
  ['shop=tattoo', 'tattoo,tattoo studio'],
  [
    'shop=car',
    'car dealer,car dealership,autohaus,autohandler,concessionnaire,concesionario,concessionaria,autodealer',
  ],
  [
    'shop=car_repair',
    'car repair,auto repair,garage,mechanic,autowerkstatt,kfz werkstatt,kfz,garagiste,taller mecanico,autofficina,autogarage',
  ],
  ['amenity=car_rental', 'car rental,autovermietung,location de voiture,alquiler de coches,autonoleggio'],
  ['amenity=driving_school', 'driving school,fahrschule,auto ecole,autoescuela,autoscuola,rijschool'],
  ['shop=bicycle', 'bicycle shop,bike shop,fahrrad,fahrradladen,velo,bicicletas,fietsenwinkel'],
  [
    'craft=electrician',
    'electrician,electricians,elektriker,elektroinstallation,electricien,electricista,elettricista,elektricien',
  ],
  [
    'craft=plumber craft=hvac',
    'plumber,plumbers,plumbing,klempner,sanitar,installateur,plombier,fontanero,idraulico,loodgieter,hydraulik',
  ],
  ['craft=hvac', 'hvac,heating,air conditioning,heizung,klimatechnik,chauffagiste,climatizacion'],
  [
    'craft=carpenter craft=joiner craft=cabinet_maker',
    'carpenter,carpentry,joiner,cabinet maker,tischler,tischlerei,schreiner,schreinerei,zimmerei,menuisier,menuiserie,carpintero,carpinteria,falegname,falegnameria,timmerman,stolarz',
  ],
  ['craft=roofer', 'roofer,roofing,dachdecker,couvreur,techador,dakdekker'],
  ['craft=painter', 'painter,painting contractor,maler,malerbetrieb,peintre,pintor,imbianchino,schilder'],
  [
    'craft=builder office=construction_company craft=construction',
    'construction,construction company,builder,general contractor,bauunternehmen,baufirma,entreprise de construction,constructora,impresa edile,aannemer',
  ],
  [
    'craft=gardener',
    'gardener,landscaping,landscaper,gartenbau,gartner,landschaftsbau,paysagiste,jardinero,giardiniere,hovenier',
  ],
  [
    'craft=metal_construction craft=blacksmith',
    'metal construction,metalworking,welding,schlosserei,metallbau,serrurier,cerrajeria metalica,carpenteria metallica',
  ],
  ['craft=locksmith shop=locksmith', 'locksmith,schlusseldienst,serrurerie,cerrajero,slotenmaker'],
  ['craft=glaziery', 'glazier,glaserei,vitrier,cristaleria,vetraio'],
  ['craft=tiler', 'tiler,fliesenleger,carreleur'],
  ['craft=stonemason', 'stonemason,steinmetz,marbrier'],
  ['craft=chimney_sweeper', 'chimney sweep,schornsteinfeger,ramoneur'],
  [
    'craft=cleaning office=cleaning',
    'cleaning,cleaning service,gebaudereinigung,reinigung,nettoyage,limpieza,pulizie,schoonmaak',
  ],
  ['shop=laundry shop=dry_cleaning', 'laundry,dry cleaning,wascherei,textilreinigung,pressing,lavanderia'],
  ['craft=photographer shop=photo', 'photographer,photography,fotograf,photographe,fotografo,fotograaf'],
  ['shop=copyshop craft=printer', 'printing,print shop,druckerei,imprimerie,imprenta,tipografia,drukkerij'],
  ['craft=tailor', 'tailor,schneider,schneiderei,tailleur,sastre,sarto,kleermaker'],
  ['shop=jewelry craft=jeweller', 'jeweller,jeweler,jewelry,juwelier,bijoutier,joyeria,gioielleria'],
  ['craft=watchmaker shop=watches', 'watchmaker,uhrmacher,horloger'],
  ['shop=shoes craft=shoemaker', 'shoemaker,shoe repair,shoes,schuster,schuhmacher,cordonnier,zapateria'],
  ['craft=brewery', 'brewery,brauerei,brasserie,cerveceria,birrificio,brouwerij'],
  ['craft=winery shop=wine', 'winery,wine,weingut,domaine viticole,bodega,cantina'],
  ['craft=distillery', 'distillery,brennerei,distillerie'],
  ['man_made=works', 'manufacturer,manufacturing,factory,hersteller,fabrik,usine,fabricante,fabbrica'],
  ['shop=furniture', 'furniture,mobel,mobelhaus,meubles,muebles,mobili,meubels'],
  ['shop=kitchen', 'kitchens,kitchen studio,kuchenstudio,cuisiniste'],
  ['shop=doityourself shop=hardware', 'hardware store,diy,baumarkt,quincaillerie,ferreteria,ferramenta'],
  ['shop=electronics shop=computer', 'electronics,computer shop,elektronik,informatique magasin'],
  ['shop=clothes', 'clothing,clothes,fashion,boutique,bekleidung,mode,vetements,ropa,abbigliamento,kleding'],
  ['shop=books', 'bookshop,bookstore,buchhandlung,librairie,libreria,boekhandel'],
  ['shop=pet', 'pet shop,zoohandlung,animalerie,tienda de mascotas'],
  ['shop=garden_centre', 'garden centre,garden center,gartencenter,jardinerie,vivero'],
  [
    'shop=funeral_directors',
    'funeral home,funeral director,undertaker,bestatter,bestattung,pompes funebres,funeraria,onoranze funebri,uitvaart',
  ],
  [
    'amenity=kindergarten amenity=childcare',
    'kindergarten,daycare,nursery,childcare,kita,creche,guarderia,asilo nido,kinderopvang',
  ],
  ['amenity=school', 'school,schule,ecole,escuela,scuola'],
  ['amenity=language_school', 'language school,sprachschule,ecole de langues,academia de idiomas'],
  ['amenity=music_school', 'music school,musikschule,ecole de musique'],
  ['amenity=theatre', 'theatre,theater,teatro'],
  ['amenity=cinema', 'cinema,movie theater,kino'],
  ['amenity=events_venue', 'event venue,wedding venue,eventlocation'],
  ['office=ngo office=association', 'ngo,nonprofit,association,verein,stiftung,charity'],
  ['office=energy_supplier', 'energy supplier,stadtwerke,energieversorger'],
  ['shop=solar craft=solar', 'solar,solar installer,photovoltaik,solartechnik,photovoltaique'],
];

import { foldNames } from '../../../core/text.ts';

const BY_WORD = new Map(
  KINDS.flatMap(([tags, words]) => words.split(',').map((word) => [word, tags.split(' ')] as const)),
);

/** The tags of an industry, or of the first keyword that names one; null if the table has none. */
export function osmTags(industry: string | null, keywords: readonly string[]): string[] | null {
  for (const text of [industry ?? '', ...keywords]) {
    const found = findTags(text);
    if (found) return found;
  }
  return null;
}

function findTags(text: string): string[] | null {
  const folded = foldNames(text);
  if (folded === '') return null;
  // `dental clinics`: the whole text first, then each run of words in it, longest first.
  const words = folded.split(' ').slice(0, 12);
  for (let length = words.length; length > 0; length -= 1) {
    for (let start = 0; start + length <= words.length; start += 1) {
      const tags = lookUp(words.slice(start, start + length).join(' '));
      if (tags) return tags;
    }
  }
  return null;
}

const lookUp = (word: string): string[] | undefined =>
  [word, word.replace(/ies$/, 'y'), word.replace(/(es|s|n|en)$/, ''), word.replace(/s$/, '')]
    .map((form) => BY_WORD.get(form))
    .find(Boolean);
