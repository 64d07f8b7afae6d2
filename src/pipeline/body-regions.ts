/** A coarse part of the body; terms of one region can show each other's organs, of different ones not. */
export type BodyRegion = 'head' | 'neck' | 'chest' | 'abdomen' | 'pelvis' | 'arm' | 'leg';

/** Defined terms of Body Part Examined (PS3.16 Annex L), older spellings and terms in wide use, by the regions that an
 * image so labelled shows. Terms that may be anywhere (WHOLEBODY, PARTIALBODY, EXTREMITY, SKIN …) are left out. */
const TERMS: readonly (readonly [regions: readonly BodyRegion[], terms: string])[] = [
  [
    ['head'],
    `HEAD BRAIN CEREBELLUM SKULL SCALP FACE EYE EYELID ORBIT CORNEA SCLERA EAR IAC MASTOID NOSE NASALBONE SINUS
     PARANASALSINUS JAW MANDIBLE MAXILLA ZYGOMA TMJ CHEEK MOUTH TONGUE TOOTH TEETH SELLA PITUITARY OPTICCANAL
     CIRCLEOFWILLIS HIPPOCAMPUS PAROTID NASOPHARYNX`,
  ],
  [['neck'], 'NECK CSPINE LARYNX PHARYNX OROPHARYNX THYROID PARATHYROID SUBMANDIBULAR'],
  [['head', 'neck'], 'HEADNECK CAROTID'],
  [
    ['chest'],
    `CHEST THORAX HEART CARDIAC CORONARYARTERY CORONARY LUNG BRONCHUS MEDIASTINUM THYMUS BREAST AXILLA RIB STERNUM
     PERICARDIUM LEFTVENTRICLE RIGHTVENTRICLE LVENTRICLE RVENTRICLE LATRIUM RATRIUM AORTICARCH THORACICAORTA
     PULMONARYARTERY PULMONARYA PULMONARYV TSPINE`,
  ],
  [['neck', 'chest'], 'NECKCHEST CTSPINE TRACHEA ESOPHAGUS CLAVICLE'],
  [
    ['abdomen'],
    `ABDOMEN LIVER SPLEEN KIDNEY ADRENAL PANCREAS GALLBLADDER BILEDUCT STOMACH DUODENUM JEJUNUM RETROPERITONEUM
     ABDOMINALAORTA RENALARTERY`,
  ],
  [
    ['abdomen', 'pelvis'],
    'ABDOMENPELVIS ABDOMENANDPELVIS COLON ILEUM LARGEINTESTINE SMALLINTESTINE URETER LSPINE LSSPINE UTERUS',
  ],
  [
    ['pelvis'],
    `PELVIS BLADDER PROSTATE RECTUM OVARY CERVIX VAGINA VULVA PENIS SCROTUM TESTIS URETHRA SSPINE SACRUM COCCYX SIJOINT
     ILIUM`,
  ],
  [['pelvis', 'leg'], 'HIP BUTTOCK GROIN'],
  [['chest', 'abdomen'], 'CHESTABDOMEN THORAXABDOMEN TLSPINE DIAPHRAGM'],
  [['chest', 'abdomen', 'pelvis'], 'CHESTABDPELVIS CHESTABDOMENPELVIS AORTA BACK'],
  [['neck', 'chest', 'abdomen'], 'NECKCHESTABDOMEN'],
  [['neck', 'chest', 'abdomen', 'pelvis'], 'NECKCHESTABDPELV NECKCHESTABDPELVIS SPINE'],
  [['chest', 'arm'], 'SHOULDER SCAPULA'],
  [
    ['arm'],
    'ARM UPPERARM HUMERUS ELBOW FOREARM RADIUS ULNA RADIUSULNA WRIST HAND FINGER THUMB UPPEREXTREMITY UPPERLIMB ACJOINT',
  ],
  [
    ['leg'],
    `LEG THIGH FEMUR KNEE PATELLA CALF TIBIA FIBULA TIBIAFIBULA ANKLE CALCANEUS FOOT TOE LOWEREXTREMITY LOWERLIMB
     LOWERLEG`,
  ],
];

const REGIONS_BY_TERM: ReadonlyMap<string, readonly BodyRegion[]> = new Map(
  TERMS.flatMap(([regions, terms]) => terms.split(/\s+/).map((term) => [term, regions] as const)),
);

/** The regions that an image or a model labelled with these terms shows; none where a term is unknown or says nothing
 * of the place. Blanks, case and punctuation do not count: scanners write "Head Neck" and HEAD_NECK. */
export function bodyRegions(terms: readonly string[]): Set<BodyRegion> {
  const known = terms.map((term) => REGIONS_BY_TERM.get(term.toUpperCase().replaceAll(/[^A-Z]/g, '')));
  return known.includes(undefined) ? new Set() : new Set(known.flatMap((regions) => regions ?? []));
}
