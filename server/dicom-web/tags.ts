/** The tags that the handler reads, by keyword. */
export const Tag = {
  StudyDate: '00080020',
  StudyTime: '00080030',
  Modality: '00080060',
  SOPClassesInStudy: '00080062',
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

/** What a row of a study says of it, beside what is gathered from its instances (PS3.18 table 10.6.3-3). */
export const STUDY_ATTRIBUTES = {
  '00080020': 'DA', // Study Date
  '00080030': 'TM', // Study Time
  '00080050': 'SH', // Accession Number
  '00080090': 'PN', // Referring Physician's Name
  '00080201': 'SH', // Timezone Offset From UTC
  '00081030': 'LO', // Study Description
  '00100010': 'PN', // Patient's Name
  '00100020': 'LO', // Patient ID
  '00100021': 'LO', // Issuer of Patient ID
  '00100030': 'DA', // Patient's Birth Date
  '00100032': 'TM', // Patient's Birth Time
  '00100040': 'CS', // Patient's Sex
  '00101010': 'AS', // Patient's Age
  '0020000D': 'UI', // Study Instance UID
  '00200010': 'SH', // Study ID
} as const;

/** What a row of a series says of it, beside the count (table 10.6.3-4). */
export const SERIES_ATTRIBUTES = {
  '00080021': 'DA', // Series Date
  '00080031': 'TM', // Series Time
  '00080060': 'CS', // Modality
  '00080070': 'LO', // Manufacturer
  '0008103E': 'LO', // Series Description
  '00180015': 'CS', // Body Part Examined
  '00181030': 'LO', // Protocol Name
  '0020000D': 'UI', // Study Instance UID
  '0020000E': 'UI', // Series Instance UID
  '00200011': 'IS', // Series Number
  '00200052': 'UI', // Frame of Reference UID
  '00400244': 'DA', // Performed Procedure Step Start Date
  '00400245': 'TM', // Performed Procedure Step Start Time
} as const;

/** What a row of an instance says of it (table 10.6.3-5). */
export const INSTANCE_ATTRIBUTES = {
  '00080008': 'CS', // Image Type
  '00080016': 'UI', // SOP Class UID
  '00080018': 'UI', // SOP Instance UID
  '00080023': 'DA', // Content Date
  '00080033': 'TM', // Content Time
  '0020000D': 'UI', // Study Instance UID
  '0020000E': 'UI', // Series Instance UID
  '00200013': 'IS', // Instance Number
  '00280008': 'IS', // Number of Frames
  '00280010': 'US', // Rows
  '00280011': 'US', // Columns
  '00280100': 'US', // Bits Allocated
} as const;

/** What is kept of every file. */
export const INDEXED_TAGS: ReadonlySet<string> = new Set([
  ...Object.keys(STUDY_ATTRIBUTES),
  ...Object.keys(SERIES_ATTRIBUTES),
  ...Object.keys(INSTANCE_ATTRIBUTES),
]);

/** Of these, what a row has only where its instances do; the others it has without a value (type 2). */
export const OPTIONAL_TAGS: ReadonlySet<string> = new Set([
  '00080201',
  '00100021',
  '00100032',
  '00101010',
  '00080070',
  '00180015',
  '00181030',
  '00200052',
  '00400244',
  '00400245',
  '00080008',
  '00080023',
  '00080033',
]);
