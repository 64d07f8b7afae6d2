import { readFileSync } from 'node:fs';
import dcmjs from 'dcmjs';
import { expect, test } from 'vitest';
import { INSTANCE_ATTRIBUTES, SERIES_ATTRIBUTES, STUDY_ATTRIBUTES, Tag } from '../server/dicom-web/tags.ts';
import { encodeDicomSeg, type DicomSegOptions } from '../src/seg/encode-dicom-seg.ts';
import { editedSegment } from '../src/labelmap/labelmap.ts';
import { LABELMAP_SEGMENTATION_STORAGE, SEGMENTATION_STORAGE } from '../src/seg/dicom-seg-segments.ts';
import * as transferSyntaxes from '../src/dicom/transfer-syntaxes.ts';
import { seriesOn, testLabelmap, testProvenance, testSegments, testUid } from './support/labelled-series.ts';

const statement = readFileSync(new URL('../docs/dicom-conformance.md', import.meta.url), 'utf8');

test('every attribute that a segmentation is written with is in the statement, and no other', async () => {
  const listed = new Set(
    Array.from(
      part('## 9. Contents of the objects').matchAll(/\(([0-9A-F]{4}),([0-9A-F]{4})\)/g),
      ([, group, element]) => `${group ?? ''}${element ?? ''}`,
    ),
  );
  expect([...(await writtenTags())].sort()).toEqual([...listed].sort());
});

test('the transfer syntaxes are those that are read', () => {
  const uids = Object.values(transferSyntaxes).filter((value) => typeof value === 'string');
  const rows = Array.from(part('### 7.1').matchAll(/\| (1\.2\.840\.10008\.1\.2[\d.]*) +\| (\w+) +\|/g));
  expect(rows.map(([, uid]) => uid).sort()).toEqual([...uids].sort());
  expect(rows.every(([, , read]) => read === 'yes')).toBe(true);
});

test('the SOP classes are those of segmentations', () => {
  expect(part('## 1. Overview')).toContain(SEGMENTATION_STORAGE);
  expect(part('## 1. Overview')).toContain(LABELMAP_SEGMENTATION_STORAGE);
});

test.each([
  [
    'study',
    STUDY_ATTRIBUTES,
    [Tag.ModalitiesInStudy, Tag.SOPClassesInStudy, Tag.NumberOfStudyRelatedSeries, Tag.NumberOfStudyRelatedInstances],
  ],
  ['series', SERIES_ATTRIBUTES, [Tag.NumberOfSeriesRelatedInstances]],
  ['instance', INSTANCE_ATTRIBUTES, []],
])('the attributes of a row of a %s are those of the archive', (level, attributes, gathered) => {
  const row = new RegExp(`^\\| ${level} +\\| (.*) \\|$`, 'm').exec(part('### 5.3'))?.[1] ?? '';
  const tags = Array.from(row.matchAll(/\b[0-9A-F]{8}\b/g), ([tag]) => tag);
  expect(tags.sort()).toEqual([...Object.keys(attributes), ...gathered].sort());
});

/** From a heading to the next of its rank or above. */
function part(heading: string): string {
  const rank = heading.indexOf(' ');
  const [, rest = ''] = statement.split(`\n${heading}`);
  const end = new RegExp(`^#{1,${rank}} `, 'm').exec(rest);
  return rest.slice(0, end?.index);
}

/** The tags of all forms that a segmentation is written in, file meta information aside. */
async function writtenTags(): Promise<Set<string>> {
  const concept = { codeValue: '64033007', codingSchemeDesignator: 'SCT', codeMeaning: 'Kidney' };
  const segments = testSegments(2).map((segment) => ({ ...segment, anatomicRegion: concept }));
  const labelmap = testLabelmap([0, 1, 2], { segments: segments.map(editedSegment) });
  const plain = seriesOn(labelmap.geometry);
  const attributes = ['IssuerOfPatientID', 'PatientAge', 'PatientSize', 'PatientWeight', 'StudyDescription'] as const;
  const full = {
    ...plain,
    attributes: { ...plain.attributes, ...Object.fromEntries(attributes.map((keyword) => [keyword, '1'])) },
    lossyImageCompression: true,
    lossyImageCompressionRatio: ['10'],
    lossyImageCompressionMethod: ['ISO_10918_1'],
    instances: plain.instances.map((instance) => ({ ...instance, frameNumber: 1 })),
  };
  const predecessor = { sopClassUID: SEGMENTATION_STORAGE, sopInstanceUID: testUid(7), seriesInstanceUID: testUid(8) };
  const forms: readonly Partial<DicomSegOptions>[] = [
    { predecessor, isSeriesIncomplete: true },
    { segType: 'labelmap' },
    { segType: 'labelmap', compress: true },
  ];
  const tags = new Set<string>();
  for (const form of forms) {
    const encoded = await encodeDicomSeg(labelmap, full, { provenance: testProvenance, now: new Date(0), ...form });
    const bytes = Uint8Array.from(Buffer.concat(encoded.parts));
    collectTags(dcmjs.data.DicomMessage.readFile(bytes.buffer).dict, tags);
  }
  return tags;
}

function collectTags(
  dataset: Readonly<Record<string, { vr: string; Value: unknown } | undefined>>,
  tags: Set<string>,
): void {
  for (const [tag, element] of Object.entries(dataset)) {
    tags.add(tag);
    if (element?.vr !== 'SQ') continue;
    for (const item of element.Value as Parameters<typeof collectTags>[0][]) collectTags(item, tags);
  }
}
