import { type ErrorDetails, InputError } from '../errors.ts';
import type { Notice } from '../volume/volume.ts';
import { type DicomInstance, type PlacedSlice, placeSlices, type StackedSlice } from './dicom-instance.ts';
import { type DividedVolume, splitVolumes } from './split-volumes.ts';

/** One of the volumes that a series holds: a cardiac phase, an echo, a time point, or the only one. */
export interface SeriesVolume {
  /** Its number among the volumes of the series, from 1. */
  readonly phase: number;
  /** What tells it from the others: "TriggerTime 274 ms"; empty where there is only one. */
  readonly label: string;
  readonly slices: readonly StackedSlice[];
  /** The files that its slices are in, each once. */
  readonly instances: readonly DicomInstance[];
}

/** What a series holds. */
export interface SeriesVolumes {
  /** At least one. */
  readonly volumes: readonly SeriesVolume[];
  /** Images that are in none of them; a notice names them. */
  readonly leftOut: readonly LeftOutImages[];
  readonly notices: readonly Notice[];
}

interface LeftOutImages {
  /** Scouts beside other images, or a volume that lacks slices beside others that lack none. */
  readonly reason: 'localizers' | 'incomplete-volume';
  readonly instances: readonly DicomInstance[];
}

/** Finds the volumes of one series. That each is one regular grid is not judged: see {@link stackVolume}.
 * @param instances at least one, any order
 * @throws the first instance's own problem; InputError `duplicate-slices` if places hold several images and nothing tells
 * volumes apart */
export function volumesOf(instances: readonly DicomInstance[]): SeriesVolumes {
  const all = instances.flatMap((instance): StackedSlice[] => {
    if (instance.slices instanceof InputError) throw instance.slices;
    return instance.slices.map((header) => ({ instance, header }));
  });
  const { images, localizers } = withoutLocalizers(all);
  const placed = placeSlices(images);
  const division = splitVolumes(placed);
  if (division === undefined) throw duplicateSlices(placed);
  const volumes = division.volumes.map((volume, n) => seriesVolume(volume, n + 1));
  const leftOut: LeftOutImages[] = [];
  const notices: Notice[] = [];
  if (localizers.length > 0) {
    leftOut.push({ reason: 'localizers', instances: instancesOf(localizers) });
    const message = `${localizers.length} localizer${localizers.length === 1 ? '' : 's'} (ImageType LOCALIZER) among the images left out.`;
    notices.push({ code: 'localizers-left-out', message });
  }
  if (division.incomplete !== undefined) {
    const { slices, label } = division.incomplete;
    const lacking = instancesOf(slices.map(({ slice }) => slice));
    const whole = Math.max(...volumes.map((volume) => volume.slices.length));
    leftOut.push({ reason: 'incomplete-volume', instances: lacking });
    const message = `A volume (${label}) has ${slices.length} of ${whole} slices and was left out: ${listedNames(lacking)}.`;
    notices.push({ code: 'incomplete-volume', message });
  }
  if (division.orderedBy !== undefined) {
    const message = `Nothing but the order of the images (${division.orderedBy}) tells the ${volumes.length} volumes of the series apart: check that each is what it should be.`;
    notices.push({ code: 'volumes-by-order', message });
  }
  return { volumes, leftOut, notices };
}

/** The volume asked for, or the only one.
 * @throws InputError `several-volumes`, `phase-not-found` */
export function chooseVolume(volumes: readonly SeriesVolume[], phase: number | undefined): SeriesVolume {
  const [only, another] = volumes;
  const chosen = phase === undefined && another === undefined ? only : volumes[(phase ?? 0) - 1];
  if (chosen !== undefined) return chosen;
  const listed = volumes.map(({ label, slices }, n) => {
    const count = `${slices.length} image${slices.length === 1 ? '' : 's'}`;
    return label === '' ? count : `${n + 1}: ${label} (${count})`;
  });
  const shown = [...listed.slice(0, MAX_LISTED), ...(listed.length > MAX_LISTED ? ['…'] : [])].join('; ');
  const details: ErrorDetails = {
    option: 'phase',
    choices: volumes.map((volume) => volume.phase),
    volumes: volumes.map(({ label, slices }, n) => ({ phase: n + 1, label, images: slices.length })),
  };
  if (phase !== undefined) {
    throw new InputError(
      'phase-not-found',
      `There is no volume ${phase} in the series, which holds ${volumes.length}: ${shown}.`,
      { remedy: 'Choose one of the volumes.', details },
    );
  }
  throw new InputError('several-volumes', `The series holds ${volumes.length} volumes, not one: ${shown}.`, {
    remedy: 'Choose one of the volumes.',
    details,
  });
}

const MAX_LISTED = 12;
const MAX_NAMES = 6;

function seriesVolume({ slices: placed, label }: DividedVolume, phase: number): SeriesVolume {
  const slices = placed.map(({ slice }) => slice);
  return { phase, label, slices, instances: instancesOf(slices) };
}

function instancesOf(slices: readonly StackedSlice[]): DicomInstance[] {
  return [...new Set(slices.map(({ instance }) => instance))];
}

/** Scouts lie across the images that they were made to plan; a series of nothing else keeps them. */
function withoutLocalizers(slices: readonly StackedSlice[]) {
  const images = slices.filter(({ header }) => !header.isLocalizer);
  if (images.length === 0) return { images: slices, localizers: [] };
  return { images, localizers: slices.filter(({ header }) => header.isLocalizer) };
}

function duplicateSlices(placed: readonly PlacedSlice[]): InputError {
  const atPlace = new Map<number, PlacedSlice[]>();
  for (const slice of placed) {
    const own = atPlace.get(slice.place);
    if (own === undefined) atPlace.set(slice.place, [slice]);
    else own.push(slice);
  }
  const shared = [...atPlace.values()].filter((slices) => slices.length > 1);
  const example = shared.reduce((most, slices) => (slices.length > most.length ? slices : most), []);
  const position = example[0]?.slice.header.positionStrings.map(Number).join(', ') ?? '';
  const names = example.map(({ slice }) => nameOf(slice));
  const several = shared.length === 1 ? '1 of the positions has' : `${shared.length} of the positions have`;
  return new InputError(
    'duplicate-slices',
    `${several} more than one image, and nothing tells whole volumes apart (${atPlace.size} positions): ${listed(names)} lie at (${position}) mm.`,
    {
      remedy: 'Pass each image once, or the files of one volume only.',
      details: { files: names, positions: atPlace.size, repeated: shared.length },
    },
  );
}

function nameOf({ instance, header }: StackedSlice): string {
  return header.frameCount === 1 ? instance.file.name : `${instance.file.name} (frame ${header.frameIndex + 1})`;
}

function listedNames(instances: readonly DicomInstance[]): string {
  return listed(instances.map(({ file }) => file.name));
}

function listed(names: readonly string[]): string {
  if (names.length > MAX_NAMES) return `${names.slice(0, MAX_NAMES).join(', ')}, … (${names.length} in all)`;
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}
