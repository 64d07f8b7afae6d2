/** The tags that the handler reads, by keyword. */
export const Tag = {
  StudyDate: '00080020',
  Modality: '00080060',
  ModalitiesInStudy: '00080061',
  SOPClassUID: '00080016',
  SOPInstanceUID: '00080018',
  RetrieveURL: '00081190',
  FailureReason: '00081197',
  FailedSOPSequence: '00081198',
  ReferencedSOPSequence: '00081199',
  ReferencedSOPClassUID: '00081150',
  ReferencedSOPInstanceUID: '00081155',
  StudyInstanceUID: '0020000D',
  SeriesInstanceUID: '0020000E',
  InstanceNumber: '00200013',
  NumberOfStudyRelatedSeries: '00201206',
  NumberOfStudyRelatedInstances: '00201208',
  NumberOfSeriesRelatedInstances: '00201209',
  SamplesPerPixel: '00280002',
  NumberOfFrames: '00280008',
  Rows: '00280010',
  Columns: '00280011',
  BitsAllocated: '00280100',
  PixelRepresentation: '00280103',
  PixelData: '7FE00010',
} as const;

/** What a row of a study says of it, beside the counts (PS3.18 table 10.6.3-3). */
export const STUDY_ATTRIBUTES = {
  '00080020': 'DA',
  '00080030': 'TM',
  '00080050': 'SH',
  '00080090': 'PN',
  '00081030': 'LO',
  '00100010': 'PN',
  '00100020': 'LO',
  '00100030': 'DA',
  '00100040': 'CS',
  '0020000D': 'UI',
  '00200010': 'SH',
} as const;

/** What a row of a series says of it, beside the count (table 10.6.3-4). */
export const SERIES_ATTRIBUTES = {
  '00080021': 'DA',
  '00080031': 'TM',
  '00080060': 'CS',
  '0008103E': 'LO',
  '0020000D': 'UI',
  '0020000E': 'UI',
  '00200011': 'IS',
} as const;

/** What a row of an instance says of it (table 10.6.3-5). */
export const INSTANCE_ATTRIBUTES = {
  '00080016': 'UI',
  '00080018': 'UI',
  '0020000D': 'UI',
  '0020000E': 'UI',
  '00200013': 'IS',
  '00280008': 'IS',
  '00280010': 'US',
  '00280011': 'US',
  '00280100': 'US',
} as const;
