import type { ModelManifest } from '../models/manifest.ts';
import { viewGrid } from '../volume/reorient.ts';
import type { Notice, Volume, VoxelArray } from '../volume/volume.ts';

/** What of an image is unlike the images that a model was trained on, judged by voxels and field of view: a brain given
 * to a model of the abdomen, a CT to one for MR. A notice, not a refusal, for neither is proof. */
export function unlikeTraining({ input }: ModelManifest, volume: Volume): Notice[] {
  const notices = volume.modality === undefined ? judgeValues(input.modality, volume.voxels) : [];
  return [...notices, ...judgeFieldOfView(input, volume)];
}

/** Fat and air are below it on CT in Hounsfield units; magnitude images of MR have no such values. */
const BELOW_FAT_HU = -100;
/** Of the voxels of any CT; scanners' corners and rounding make a few in other images. */
const SHARE_BELOW_FAT = 0.01;

function judgeValues(modality: readonly string[], voxels: VoxelArray): Notice[] {
  const code = 'unlikely-modality';
  const looksLikeCt = shareBelow(voxels, BELOW_FAT_HU) >= SHARE_BELOW_FAT;
  if (looksLikeCt && !modality.includes('CT')) {
    const message = `Many voxels are below ${BELOW_FAT_HU}, as air and fat are on CT; the model is for ${modality.join(' or ')}: do not rely on the result.`;
    return [{ code, message }];
  }
  if (!looksLikeCt && modality.every((name) => name === 'CT')) {
    const message = `Hardly a voxel is below ${BELOW_FAT_HU}, as air and fat are on CT in Hounsfield units, which the model is for: do not rely on the result.`;
    return [{ code, message }];
  }
  return [];
}

/** Enough to tell a share of a hundredth; a large volume takes a second to go through. */
const LARGEST_SAMPLE = 1e6;

function shareBelow(voxels: VoxelArray, limit: number): number {
  // Odd, so that it does not walk along a column of a slice whose width is a power of two.
  const step = 2 * Math.floor(voxels.length / LARGEST_SAMPLE / 2) + 1;
  let [count, below] = [0, 0];
  for (let at = 0; at < voxels.length; at += step, count++) if ((voxels[at] ?? 0) < limit) below++;
  return below / Math.max(1, count);
}

/** Scans of the same anatomy differ so much. */
const FIELD_MARGIN = 1.1;

function judgeFieldOfView(
  { sliceAxis, orientation, fieldOfView }: ModelManifest['input'],
  { geometry }: Volume,
): Notice[] {
  if (!fieldOfView) return [];
  const { columns, rows, spacing } = viewGrid(geometry, sliceAxis, orientation);
  const side = Math.max(columns * spacing.column, rows * spacing.row);
  const { low, high } = fieldOfView;
  if (side >= low / FIELD_MARGIN && side <= high * FIELD_MARGIN) return [];
  const message = `A slice is ${side.toFixed(0)} mm wide, the model is for ${low} to ${high} mm: it may show another part of the body, or be cropped otherwise. Do not rely on the result.`;
  return [{ code: 'unlikely-field-of-view', message }];
}

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
