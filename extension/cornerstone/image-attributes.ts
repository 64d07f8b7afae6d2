import type { NaturalisedAttributes } from '../../src/index.ts';
import type { CornerstoneHost } from './host.ts';

/** The modules that a page without whole data sets answers; together they hold what a volume needs. */
const MODULES = [
  'patientModule',
  'patientDemographicModule',
  'patientStudyModule',
  'generalStudyModule',
  'generalSeriesModule',
  'generalImageModule',
  'modalityLutModule',
  'sopCommonModule',
  'imagePixelModule',
  'imagePlaneModule',
];

/** An image's DICOM attributes by keyword, from the page's metadata providers: the whole data set where a provider has
 * it (`instance`, as in OHIF), else what the modules say. */
export function imageAttributes({ core }: CornerstoneHost, imageId: string): NaturalisedAttributes {
  const instance: unknown = core.metaData.get('instance', imageId);
  if (isAttributes(instance) && 'SOPInstanceUID' in instance && 'ImagePositionPatient' in instance) return instance;
  const modules: unknown = core.metaData.getNormalized(imageId, MODULES);
  return isAttributes(modules) ? modules : {};
}

function isAttributes(value: unknown): value is NaturalisedAttributes {
  return typeof value === 'object' && value !== null;
}
