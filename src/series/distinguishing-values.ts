import type { DicomDataset } from '../dicom/dicom-dataset.ts';
import type { DicomKeyword } from '../dicom/dicom-dictionary.ts';
import type { FrameAttributes } from '../dicom/functional-groups.ts';

/** An attribute that can tell volumes of one series apart. */
export interface DistinguishingAttribute {
  /** Its DICOM keyword, or whose private attribute it is: for people. */
  readonly name: string;
  readonly unit?: string;
  /** Its values rise from one volume to the next at every place, even if they differ within a volume. */
  readonly isOrdered?: boolean;
  /** When somebody was where: not shown. */
  readonly isTimeOfDay?: boolean;
}

interface StoredAttribute extends DistinguishingAttribute {
  /** The functional group that an enhanced multi-frame image has it in. */
  readonly group: DicomKeyword;
  readonly read: (attributes: DicomDataset) => string;
}

interface Options extends Omit<DistinguishingAttribute, 'name'> {
  readonly group?: DicomKeyword;
}

const TIME: Options = { isOrdered: true, isTimeOfDay: true };
const MILLISECONDS: Options = { unit: 'ms', isOrdered: true };
const B_VALUE: Options = { unit: 's/mm²' };

/** The most telling first. Every one is taken that standard or maker gives to tell images of one place apart: when in a
 * cycle, how, and with what they were taken, then when on the clock. */
const STORED_ATTRIBUTES: readonly StoredAttribute[] = [
  text('StackID', { group: 'FrameContentSequence' }),
  numbers('TemporalPositionIndex', { group: 'FrameContentSequence', isOrdered: true }),
  text('TemporalPositionIdentifier', { isOrdered: true }),
  numbers('TemporalPositionTimeOffset', { group: 'TemporalPositionSequence', unit: 's', isOrdered: true }),
  numbers('NominalCardiacTriggerDelayTime', { group: 'CardiacSynchronizationSequence', ...MILLISECONDS }),
  numbers('NominalPercentageOfCardiacPhase', { group: 'CardiacSynchronizationSequence', unit: '%', isOrdered: true }),
  text('CardiacCyclePosition', { group: 'CardiacSynchronizationSequence' }),
  numbers('NominalPercentageOfRespiratoryPhase', {
    group: 'RespiratorySynchronizationSequence',
    unit: '%',
    isOrdered: true,
  }),
  numbers('NominalRespiratoryTriggerDelayTime', { group: 'RespiratorySynchronizationSequence', ...MILLISECONDS }),
  text('TriggerTime', { group: 'CardiacSynchronizationSequence', ...MILLISECONDS }),
  ofMaker('Philips Imaging DD', 'PrivateCreator2001', 'Philips phase number', 'PhilipsPhaseNumber', {
    isOrdered: true,
  }),
  numbers('EffectiveEchoTime', { group: 'MREchoSequence', ...MILLISECONDS }),
  text('EchoTime', { group: 'MREchoSequence', ...MILLISECONDS }),
  text('EchoNumbers', { group: 'MREchoSequence', isOrdered: true }),
  text('InversionTime', { group: 'MRModifierSequence', ...MILLISECONDS }),
  numbers('InversionTimes', { group: 'MRModifierSequence', unit: 'ms' }),
  text('RepetitionTime', { group: 'MRTimingAndRelatedParametersSequence', unit: 'ms' }),
  text('FlipAngle', { group: 'MRTimingAndRelatedParametersSequence', unit: '°' }),
  numbers('DiffusionBValue', { group: 'MRDiffusionSequence', ...B_VALUE }),
  { name: 'b-value (GE)', group: 'MRDiffusionSequence', ...B_VALUE, read: gradientStrengthOfGE },
  ofMaker('SIEMENS MR HEADER', 'PrivateCreator0019', 'b-value (Siemens)', 'SiemensBValue', B_VALUE),
  ofMaker('Philips Imaging DD', 'PrivateCreator2001', 'b-value (Philips)', 'PhilipsBValue', B_VALUE),
  ofMaker('Image Private Header', 'PrivateCreator0065', 'b-value (UIH)', 'UIHBValue', B_VALUE),
  {
    name: 'DiffusionGradientOrientation',
    group: 'MRDiffusionSequence',
    read: (attributes) =>
      valuesOf(attributes.items('DiffusionGradientDirectionSequence')[0] ?? attributes, 'DiffusionGradientOrientation'),
  },
  text('DiffusionDirectionality', { group: 'MRDiffusionSequence' }),
  {
    name: 'gradient direction (GE)',
    group: 'MRDiffusionSequence',
    read: vectorOfMaker('GEMS_ACQU', 'PrivateCreator0019', ['GEGradientX', 'GEGradientY', 'GEGradientZ']),
  },
  ofMaker('SIEMENS MR HEADER', 'PrivateCreator0019', 'gradient direction (Siemens)', 'SiemensGradientDirection'),
  {
    name: 'gradient direction (Philips)',
    group: 'MRDiffusionSequence',
    read: vectorOfMaker('Philips MR Imaging DD', 'PrivateCreator2005', [
      'PhilipsGradientX',
      'PhilipsGradientY',
      'PhilipsGradientZ',
    ]),
  },
  ofMaker('Philips Imaging DD', 'PrivateCreator2001', 'gradient axis (Philips)', 'PhilipsGradientDirection'),
  ofMaker('Image Private Header', 'PrivateCreator0065', 'gradient direction (UIH)', 'UIHGradientDirection'),
  numbers('VelocityEncodingDirection', { group: 'MRVelocityEncodingSequence' }),
  text('ASLContext', { group: 'MRArterialSpinLabelingSequence' }),
  text('ComplexImageComponent', { group: 'MRImageFrameTypeSequence' }),
  text('FrameType', { group: 'MRImageFrameTypeSequence' }),
  text('FrameType', { group: 'CTImageFrameTypeSequence' }),
  text('KVP', { group: 'CTXRayDetailsSequence', unit: 'kV' }),
  numbers('MonoenergeticEnergyEquivalent', { unit: 'keV' }),
  text('ConvolutionKernel', { group: 'CTReconstructionSequence' }),
  text('FilterType', { group: 'CTXRayDetailsSequence' }),
  text('ImageType'),
  text('FrameReferenceTime', { unit: 'ms', isOrdered: true }),
  text('ActualFrameDuration', { unit: 'ms' }),
  text('SliceThickness', { group: 'PixelMeasuresSequence', unit: 'mm' }),
  text('ContrastBolusAgent'),
  text('ScanningSequence'),
  text('SequenceVariant'),
  text('ScanOptions'),
  text('SequenceName'),
  text('InPlanePhaseEncodingDirection'),
  text('ReceiveCoilName'),
  text('LowRRValue', { unit: 'ms' }),
  text('SeriesNumber'),
  text('SeriesDescription'),
  text('ProtocolName'),
  text('AcquisitionNumber', { isOrdered: true }),
  numbers('FrameAcquisitionNumber', { group: 'FrameContentSequence', isOrdered: true }),
  ...[0, 1, 2, 3, 4, 5].map((n): StoredAttribute => ({
    name: `index of dimension ${n + 1}`,
    group: 'FrameContentSequence',
    isOrdered: true,
    read: (attributes) => String(attributes.numbers('DimensionIndexValues')[n] ?? ''),
  })),
  text('XRayTubeCurrent', { unit: 'mA' }),
  text('Exposure', { unit: 'mAs' }),
  text('AcquisitionDateTime', TIME),
  text('FrameAcquisitionDateTime', { group: 'FrameContentSequence', ...TIME }),
  text('FrameReferenceDateTime', { group: 'FrameContentSequence', ...TIME }),
  text('AcquisitionDate', TIME),
  text('AcquisitionTime', TIME),
  text('ContentDate', TIME),
  text('ContentTime', TIME),
  text('SeriesDate', TIME),
  text('SeriesTime', TIME),
];

export const DISTINGUISHING_ATTRIBUTES: readonly DistinguishingAttribute[] = STORED_ATTRIBUTES;

/** Values by the attributes' places in {@link DISTINGUISHING_ATTRIBUTES}; absent ones are missing. */
export type DistinguishingValues = ReadonlyMap<number, string>;

export function readDistinguishingValues(frame: FrameAttributes): DistinguishingValues {
  // A sequence is parsed whenever it is asked for.
  const groups = new Map<DicomKeyword, DicomDataset>();
  const values = new Map<number, string>();
  STORED_ATTRIBUTES.forEach(({ group, read }, n) => {
    const attributes = groups.get(group) ?? frame(group);
    groups.set(group, attributes);
    const value = read(attributes);
    if (value !== '') values.set(n, value);
  });
  return values;
}

function text(keyword: DicomKeyword, { group = 'FrameContentSequence', ...options }: Options = {}): StoredAttribute {
  return { name: keyword, group, ...options, read: (attributes) => attributes.text(keyword) ?? '' };
}

function numbers(keyword: DicomKeyword, { group = 'FrameContentSequence', ...options }: Options = {}): StoredAttribute {
  return { name: keyword, group, ...options, read: (attributes) => valuesOf(attributes, keyword) };
}

/** A private attribute, which is whose its block's creator says (PS3.5 7.8.1): another maker's has the same tag. */
function ofMaker(
  maker: string,
  creator: DicomKeyword,
  name: string,
  keyword: DicomKeyword,
  { group = 'MRDiffusionSequence', ...options }: Options = {},
): StoredAttribute {
  return {
    name,
    group,
    ...options,
    read: (attributes) => (isOf(attributes, creator, maker) ? valuesOf(attributes, keyword) : ''),
  };
}

function vectorOfMaker(maker: string, creator: DicomKeyword, keywords: readonly DicomKeyword[]) {
  return (attributes: DicomDataset): string => {
    if (!isOf(attributes, creator, maker) || !keywords.some((keyword) => attributes.has(keyword))) return '';
    return keywords.map((keyword) => valuesOf(attributes, keyword)).join('\\');
  };
}

/** GE adds a flag of 10⁹ or so to the b-value, the first of four numbers. */
function gradientStrengthOfGE(attributes: DicomDataset): string {
  if (!isOf(attributes, 'PrivateCreator0043', 'GEMS_PARM')) return '';
  const value = attributes.number('GEBValues');
  return value === undefined ? '' : String(value % 100_000);
}

function isOf(attributes: DicomDataset, creator: DicomKeyword, maker: string): boolean {
  return attributes.text(creator)?.toUpperCase().startsWith(maker.toUpperCase()) ?? false;
}

/** Numbers of any representation, text as it is. */
function valuesOf(attributes: DicomDataset, keyword: DicomKeyword): string {
  const values = attributes.numbers(keyword);
  return values.every(Number.isFinite) ? values.join('\\') : (attributes.text(keyword) ?? '');
}
