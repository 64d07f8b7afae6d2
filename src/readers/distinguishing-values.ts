import type { DicomKeyword } from './dicom-dictionary.ts';
import type { FrameAttributes } from './functional-groups.ts';

/** What can tell volumes of one series apart, the most telling first, and the functional group that an enhanced
 * multi-frame image has it in. */
const DISTINGUISHING_ATTRIBUTES = [
  ['StackID', 'FrameContentSequence'],
  ['TemporalPositionIndex', 'FrameContentSequence'],
  ['TemporalPositionIdentifier', 'FrameContentSequence'],
  ['NominalCardiacTriggerDelayTime', 'CardiacSynchronizationSequence'],
  ['TriggerTime', 'CardiacSynchronizationSequence'],
  ['EffectiveEchoTime', 'MREchoSequence'],
  ['EchoTime', 'MREchoSequence'],
  ['EchoNumbers', 'MREchoSequence'],
  ['InversionTime', 'MRModifierSequence'],
  ['InversionTimes', 'MRModifierSequence'],
  ['FlipAngle', 'MRTimingAndRelatedParametersSequence'],
  ['DiffusionBValue', 'MRDiffusionSequence'],
  ['DiffusionGradientOrientation', 'MRDiffusionSequence'],
  ['ComplexImageComponent', 'MRImageFrameTypeSequence'],
  ['FrameType', 'MRImageFrameTypeSequence'],
  ['FrameType', 'CTImageFrameTypeSequence'],
  ['ImageType', 'FrameContentSequence'],
  ['ConvolutionKernel', 'CTReconstructionSequence'],
  ['AcquisitionNumber', 'FrameContentSequence'],
  ['FrameAcquisitionNumber', 'FrameContentSequence'],
  ['AcquisitionTime', 'FrameContentSequence'],
] as const satisfies readonly (readonly [keyword: DicomKeyword, group: DicomKeyword])[];

/** Values of the attributes that tell volumes apart, by keyword in the order of how telling they are; absent ones are
 * missing. */
export type DistinguishingValues = ReadonlyMap<DicomKeyword, string>;

/** Not shown to a user: when somebody was where. */
export const UNSPOKEN_ATTRIBUTES: ReadonlySet<DicomKeyword> = new Set<DicomKeyword>(['AcquisitionTime']);

export function readDistinguishingValues(frame: FrameAttributes): DistinguishingValues {
  const values = new Map<DicomKeyword, string>();
  for (const [keyword, group] of DISTINGUISHING_ATTRIBUTES) {
    const attributes = frame(group);
    const [direction] =
      keyword === 'DiffusionGradientOrientation' ? attributes.items('DiffusionGradientDirectionSequence') : [];
    const value = textOf(keyword, direction ?? attributes);
    if (value !== '') values.set(keyword, value);
  }
  return values;
}

const NUMERIC_VRS = new Set<DicomKeyword>([
  'TemporalPositionIndex',
  'NominalCardiacTriggerDelayTime',
  'EffectiveEchoTime',
  'InversionTimes',
  'DiffusionBValue',
  'DiffusionGradientOrientation',
  'FrameAcquisitionNumber',
]);

function textOf(keyword: DicomKeyword, attributes: ReturnType<FrameAttributes>): string {
  return NUMERIC_VRS.has(keyword) ? attributes.numbers(keyword).join('\\') : (attributes.text(keyword) ?? '');
}
